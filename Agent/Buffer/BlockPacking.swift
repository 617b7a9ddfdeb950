import Telemetry

/// Ticks as blocks that each fit a batch.
enum BlockPacking {
    /// One block for all ticks where it fits; halves of them, and at last halves of one tick's readings, where it does not.
    static func blocks(of ticks: [Tick]) -> [(bytes: [UInt8], samples: Int)] {
        let block = Block(ticks)
        let bytes = block.encoded()
        if bytes.count <= Batch.payloadBytesMax { return [(bytes, block.sampleCount)] }
        if ticks.count > 1 {
            let middle = ticks.count / 2
            return blocks(of: Array(ticks[..<middle])) + blocks(of: Array(ticks[middle...]))
        }
        let readings = ticks[0].readings
        let middle = readings.count / 2
        return blocks(of: [Tick(at: ticks[0].at, readings: Array(readings[..<middle]))])
            + blocks(of: [Tick(at: ticks[0].at, readings: Array(readings[middle...]))])
    }
}
