import Telemetry

/// Ticks as blocks that each fit a batch and that a collector will unfold.
enum BlockPacking {
    /// A number of ticks and the payload that holds them; several for one tick that fits no batch.
    struct Group {
        let ticks: ArraySlice<Tick>
        let payloads: [Payload]
    }

    struct Payload {
        let bytes: [UInt8]
        let samples: Int
    }

    /// One group for all ticks where they fit; halves of them, and at last halves of one tick's readings, where they do not. What does not fit is
    /// too many ticks, too many ticks times columns, more series than a block has columns, or too many bytes.
    static func groups(of ticks: ArraySlice<Tick>) -> [Group] {
        guard !ticks.isEmpty else { return [] }
        if let payload = payload(of: ticks) { return [Group(ticks: ticks, payloads: [payload])] }
        guard ticks.count > 1 else { return [Group(ticks: ticks, payloads: parts(of: ticks[ticks.startIndex]))] }
        let middle = ticks.startIndex + ticks.count / 2
        return groups(of: ticks[..<middle]) + groups(of: ticks[middle...])
    }

    private static func parts(of tick: Tick) -> [Payload] {
        if let payload = payload(of: [tick]) { return [payload] }
        // One reading always fits: its series' key is shorter than `Block.seriesBytesMax`.
        let middle = tick.readings.count / 2
        return parts(of: Tick(at: tick.at, readings: Array(tick.readings[..<middle])))
            + parts(of: Tick(at: tick.at, readings: Array(tick.readings[middle...])))
    }

    /// All the ticks in one block, or nil when they do not fit one.
    private static func payload(of ticks: ArraySlice<Tick>) -> Payload? {
        var readings = 0
        var readingsOfLargest = 0
        for tick in ticks {
            readings += tick.readings.count
            readingsOfLargest = max(readingsOfLargest, tick.readings.count)
        }
        // A block that is certain not to fit is not even built.
        let isSplittable = ticks.count > 1 || readings > 1
        let columnsLeast = min(readingsOfLargest, Block.columnsMax)
        if ticks.count > Block.ticksMax || ticks.count * columnsLeast > Block.samplesMax { return nil }
        let block = Block(Array(ticks))
        if ticks.count * block.columns.count > Block.samplesMax { return nil }
        let samples = block.sampleCount
        if isSplittable, block.columns.count == Block.columnsMax, samples < readings { return nil }
        let bytes = block.encoded()
        return bytes.count <= Batch.payloadBytesMax ? Payload(bytes: bytes, samples: samples) : nil
    }
}
