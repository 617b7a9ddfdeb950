import Foundation

/// A `TruthLog` read back.
package struct Truth: Sendable {
    package enum Fate: Equatable, Sendable {
        case kept
        /// The buffer had no room for it.
        case unwritten
        /// The device was killed before it could note the end: the buffer has it or has it not.
        case unknown
    }

    package struct Tick: Equatable, Sendable {
        /// As the device's clock had it: UTC, milliseconds since 1970.
        package var at: Int64
        /// How far that clock was ahead, in milliseconds.
        package var clockOffset: Int64
        /// From reading the clock to being in the buffer at most, in milliseconds.
        package var late: Int64 = 0
        package var fate = Fate.unknown

        package init(at: Int64, clockOffset: Int64, late: Int64 = 0, fate: Fate = .unknown) {
            self.at = at
            self.clockOffset = clockOffset
            self.late = late
            self.fate = fate
        }
    }

    package struct Malformed: Error, CustomStringConvertible {
        package let path: String
        package let line: String
        package var description: String { "\(path): what is the line \"\(line)\"?" }
    }

    package let machine: SimulatedMachine
    /// By their number.
    package var ticks: [Tick] = []

    package init(machine: SimulatedMachine, ticks: [Tick]) {
        self.machine = machine
        self.ticks = ticks
    }

    package init(path: String) throws {
        let data = try Data(contentsOf: URL(filePath: path))
        var lines = data.split(separator: UInt8(ascii: "\n")).makeIterator()
        let first = String(decoding: lines.next() ?? Data(), as: UTF8.self)
        let words = first.dropFirst(TruthLog.header.count).split(separator: " ")
        guard first.hasPrefix(TruthLog.header), words.count == 3, let seed = UInt64(words[0]), let number = Int(words[1]), let count = Int(words[2])
        else { throw Malformed(path: path, line: first) }
        machine = SimulatedMachine(seed: seed, number: number, seriesCount: count, isChecked: true)
        while let line = lines.next() {
            guard read(line) else { throw Malformed(path: path, line: String(decoding: line, as: UTF8.self)) }
        }
    }

    private mutating func read(_ line: Data) -> Bool {
        let words = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
        guard words.count >= 3, let tick = Int(words[1]), let number = Int64(words[2]) else { return false }
        switch words[0] {
        case "t":
            guard words.count == 4, tick == ticks.count, let offset = Int64(words[3]) else { return false }
            ticks.append(Tick(at: number, clockOffset: offset))
        case "k", "x":
            guard tick == ticks.count - 1 else { return false }
            ticks[tick].fate = words[0] == "k" ? .kept : .unwritten
            ticks[tick].late = number
        default: return false
        }
        return true
    }
}
