import Foundation

/// What a simulated device did, written as it does it: each tick before it is put into the buffer, and what became of that. A file of lines that
/// outlives any kill of the device; a line a write, so that a line is there as a whole or not at all.
///
/// | line | meaning |
/// |---|---|
/// | `farwatch-truth 1 SEED NUMBER SERIES` | the first: whose values these are (`SimulatedMachine`) |
/// | `t TICK AT OFFSET` | about to be put into the buffer, with this time, on a clock that is OFFSET milliseconds ahead |
/// | `k TICK LATE` | it is in the buffer, LATE milliseconds after its time was read |
/// | `x TICK LATE` | the buffer did not take it |
package final class TruthLog {
    static let header = "farwatch-truth 1"
    /// Of the end of the file, to find where an earlier life stopped.
    private static let tailBytes: UInt64 = 4_096

    /// The number of the next tick, from 0, over all lives of the device.
    package private(set) var nextTick: Int64 = 0
    private let file: FileHandle

    /// Goes on with the file that an earlier life has left, or begins one.
    package init(path: String, seed: UInt64, number: Int, seriesCount: Int) throws {
        let isNew = !FileManager.default.fileExists(atPath: path)
        if isNew { try Data("\(Self.header) \(seed) \(number) \(seriesCount)\n".utf8).write(to: URL(filePath: path)) }
        file = try FileHandle(forUpdating: URL(filePath: path))
        let end = try file.seekToEnd()
        try file.seek(toOffset: end - min(end, Self.tailBytes))
        let tail = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
        let last = tail.split(separator: "\n").last { $0.hasPrefix("t ") }
        if let last { nextTick = (Int64(last.split(separator: " ")[1]) ?? 0) + 1 }
        try file.seekToEnd()
    }

    /// Notes a tick that is about to be put into the buffer; its number.
    package func taking(at: Int64, clockOffset: Int64) throws {
        try write("t \(nextTick) \(at) \(clockOffset)\n")
        nextTick += 1
    }

    /// Notes what became of the tick that was noted last.
    package func taken(isKept: Bool, late: Int64) throws { try write("\(isKept ? "k" : "x") \(nextTick - 1) \(late)\n") }

    private func write(_ line: String) throws { try file.write(contentsOf: Data(line.utf8)) }
}
