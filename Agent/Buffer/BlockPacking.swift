import Telemetry

/// The payload of a batch that is about to be sealed.
struct BatchPayload {
    let kind: BatchKind
    let bytes: [UInt8]
    let samples: Int

    static func event(_ json: String) -> BatchPayload { BatchPayload(kind: .event, bytes: Array(json.utf8), samples: 0) }
}

/// Ticks as blocks that each fit a batch and that a collector will unfold.
enum BlockPacking {
    /// One block for all ticks where it fits; halves of them, and at last halves of one tick's readings, where it does not. What does not fit is
    /// too many ticks, too many ticks times columns, more series than a block has columns, or too many bytes.
    static func payloads(of ticks: ArraySlice<Tick>) -> [BatchPayload] {
        guard let first = ticks.first else { return [] }
        if let payload = payload(of: ticks) { return [payload] }
        if ticks.count > 1 {
            let middle = ticks.startIndex + ticks.count / 2
            return payloads(of: ticks[..<middle]) + payloads(of: ticks[middle...])
        }
        // One reading always fits: its series' key is shorter than `Block.seriesBytesMax`.
        let middle = first.readings.count / 2
        return payloads(of: [Tick(at: first.at, readings: Array(first.readings[..<middle]))])
            + payloads(of: [Tick(at: first.at, readings: Array(first.readings[middle...]))])
    }

    /// All the ticks in one block, or nil when they do not fit one.
    private static func payload(of ticks: ArraySlice<Tick>) -> BatchPayload? {
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
        return bytes.count <= Batch.payloadBytesMax ? BatchPayload(kind: .samples, bytes: bytes, samples: samples) : nil
    }
}
