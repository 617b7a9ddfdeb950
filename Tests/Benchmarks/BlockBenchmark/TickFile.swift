import Foundation
import Telemetry

/// Blocks as `block.py` hands them over, little-endian: a count of ticks (uint32), their timestamps (int64), a count of columns (uint32); and a
/// column: the length of its series' key (uint16), the key, a byte a tick that is 1 where there is a value, a double a tick.
struct TickFile {
    private let bytes: [UInt8]
    private var place = 0

    static func blocks(at path: String) throws -> [Block] {
        var file = TickFile(bytes: [UInt8](try Data(contentsOf: URL(filePath: path))))
        var blocks: [Block] = []
        while file.place < file.bytes.count { blocks.append(try file.block()) }
        return blocks
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func block() throws -> Block {
        let count = Int(number(UInt32.self))
        var ticks = (0..<count).map { _ in Tick(at: number(Int64.self), readings: []) }
        for _ in 0..<Int(number(UInt32.self)) {
            let length = Int(number(UInt16.self))
            let series = try SeriesKey.series(Array(bytes[place..<place + length]))
            place += length
            let presence = bytes[place..<place + count]
            place += count
            for (tick, isPresent) in presence.enumerated() {
                let value = Double(bitPattern: number(UInt64.self))
                if isPresent == 1 { ticks[tick].readings.append(Reading(series, value)) }
            }
        }
        return Block(ticks)
    }

    private mutating func number<Number: FixedWidthInteger>(_ type: Number.Type) -> Number {
        defer { place += MemoryLayout<Number>.size }
        return bytes.withUnsafeBytes { Number(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: type)) }
    }
}
