import AgentBuffer
import Foundation
import SimulatedFleet
import Telemetry

/// The ticks that a buffer's file holds.
package enum BufferContent {
    /// Reads a copy, made beside the original and removed again: sealing what is not sealed would change it.
    package static func ticks(of path: String, device: DeviceId) throws -> Set<Int> {
        let manager = FileManager.default
        let directory = manager.temporaryDirectory.path + "/farwatch-check-" + UUID().uuidString
        try manager.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? manager.removeItem(atPath: directory) }
        let copy = directory + "/buffer.sqlite"
        try manager.copyItem(atPath: path, toPath: copy)
        if manager.fileExists(atPath: path + "-wal") { try manager.copyItem(atPath: path + "-wal", toPath: copy + "-wal") }
        do { return try read(copy, device) } catch let error as BufferError where error.reason == .damaged {
            // As the agent does: the note is made, and opened again it gives what can be salvaged.
            return try read(copy, device)
        }
    }

    /// Reads a whole buffer; one that turns out to be damaged is put aside when it is opened next.
    private static func read(_ copy: String, _ device: DeviceId) throws -> Set<Int> {
        var limits = BufferLimits()
        limits.bytesMax = 1 << 40
        let buffer = try Buffer(path: copy, device: device, limits: limits)
        do {
            try buffer.seal(goingOut: false)
            return try ticks(in: buffer)
        } catch let error as BufferError where error.reason == .damaged {
            _ = buffer.condemn()
            throw error
        }
    }

    private static func ticks(in buffer: Buffer) throws -> Set<Int> {
        var ticks: Set<Int> = []
        var bound = buffer.newestSequence + 1
        while let (sequence, bytes) = try buffer.newestBatch(below: bound) {
            bound = sequence
            let batch = try Batch(decoding: bytes)
            guard batch.kind == .samples else { continue }
            ticks.formUnion(numbers(in: try Block(decoding: batch.payload)))
        }
        return ticks
    }

    private static func numbers(in block: Block) -> [Int] {
        var numbers: [Int] = []
        if ThinnedBlock.isOne(block) {
            // What of the range it stands for cannot be told here.
            return []
        }
        for column in block.columns where column.series == SimulatedMachine.tickSeries {
            column.forEach { _, value in if let number = Int(exactly: value) { numbers.append(number) } }
        }
        return numbers
    }
}
