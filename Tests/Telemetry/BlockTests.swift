import Telemetry
import Testing

/// A generator for tests: the same values for the same seed.
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}

struct BlockTests {
    static let awkward: [Double] = [
        0, -0.0, 1, -1, .infinity, -.infinity, .nan, Double(bitPattern: 0x7FF8_0000_0000_1234), Double(bitPattern: 0xFFF0_0000_0000_0001),
        .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .greatestFiniteMagnitude, 0.1, 1.0 / 3, 9_007_199_254_740_992, 1e-12, 1e300, 123_456.789,
    ]

    static func block(_ values: [Double?]) -> Block {
        Block(
            values.enumerated().map { index, value in
                Tick(at: 1_700_000_000_000 + Int64(index) * 10_000, readings: value.map { [Reading(Series("m"), $0)] } ?? [])
            })
    }

    @Test func `every double comes back to the bit, alone and among others`() throws {
        for first in Self.awkward {
            for second in Self.awkward {
                let block = Self.block([first, second, first, first, second])
                let decoded = try Block(decoding: block.encoded()[...])
                #expect(decoded.columns[0].values.map(\.bitPattern) == block.columns[0].values.map(\.bitPattern))
            }
        }
    }

    @Test(arguments: 0..<40) func `random blocks come back as they were`(seed: UInt64) throws {
        var random = Seeded(state: seed)
        let series = (0..<Int.random(in: 1...12, using: &random)).map { Series("metric_\($0)", [Label("mount", "/a b/\($0)"), Label("k", "ü\"\\")]) }
        var at = Int64.random(in: -1_000_000...2_000_000_000_000, using: &random)
        let ticks = (0..<Int.random(in: 1...200, using: &random)).map { _ in
            at += Int64.random(in: -5...20_000, using: &random)
            let readings = series.compactMap { one -> Reading? in
                switch Int.random(in: 0...5, using: &random) {
                case 0: nil
                case 1: Reading(one, Double(bitPattern: UInt64.random(in: .min ... .max, using: &random)))
                case 2: Reading(one, Self.awkward.randomElement(using: &random)!)
                default: Reading(one, Double(Int.random(in: -10_000...10_000, using: &random)) / 1000)
                }
            }
            return Tick(at: at, readings: readings)
        }
        let block = Block(ticks)
        let decoded = try Block(decoding: block.encoded()[...])
        #expect(decoded.timestamps == ticks.map(\.at))
        #expect(decoded.columns.map(\.series) == block.columns.map(\.series))
        #expect(decoded.columns.map(\.presence) == block.columns.map(\.presence))
        #expect(decoded.columns.map { $0.values.map(\.bitPattern) } == block.columns.map { $0.values.map(\.bitPattern) })
    }

    /// Columns that tempt the writer: steps of a large unit, near the limits of exact integers, wrapping, rising together, mostly odd.
    @Test(arguments: 0..<60) func `columns of every temper come back to the bit`(seed: UInt64) throws {
        var random = Seeded(state: seed &* 7919 &+ 3)
        let count = [1, 2, 3, 30, 127, 129, 700].randomElement(using: &random)!
        let unit = [1, 512, 4096, 1e-3, 1e15, 2.5e-7].randomElement(using: &random)!
        var level = Double(Int.random(in: -1_000_000...1_000_000, using: &random)) * unit
        let columns = (0..<8).map { temper in
            (0..<count).map { index -> Double in
                switch temper {
                case 0: level += Double(Int.random(in: -3...9, using: &random)) * unit
                case 1: level = Double(index) * unit
                case 2: level = Double(bitPattern: UInt64.random(in: .min ... .max, using: &random))
                case 3: level = Double(Float(index) / 3)
                case 4: level = index % 9 == 3 ? Self.awkward.randomElement(using: &random)! : Double(index % 4) / 100
                case 5: level = 9_007_199_254_740_992 - Double(Int.random(in: 0...9, using: &random))
                case 6: level = Bool.random(using: &random) ? .greatestFiniteMagnitude : -.greatestFiniteMagnitude
                default: level = Double(Int.random(in: -1...1, using: &random)) * 2_251_799_813_685_247
                }
                return level
            }
        }
        let ticks = (0..<count).map { index in
            Tick(at: Int64(index) * 1000, readings: columns.enumerated().map { Reading(Series("m\($0)"), $1[index]) })
        }
        let decoded = try Block(decoding: Block(ticks).encoded()[...])
        #expect(decoded.columns.map { $0.values.map(\.bitPattern) } == columns.map { $0.map(\.bitPattern) })
    }

    @Test func `extreme timestamps come back`() throws {
        let times: [Int64] = [.min, .max, 0, -1, .max, .min]
        let block = Block(times.map { Tick(at: $0, readings: [Reading(Series("m"), 1)]) })
        #expect(try Block(decoding: block.encoded()[...]).timestamps == times)
    }

    @Test func `a series that the format cannot carry is left out and the others stay`() throws {
        let block = Block([
            Tick(
                at: 0,
                readings: [
                    Reading(Series("bad name"), 1), Reading(Series("good"), 2), Reading(Series("m", [Label("l", "a\u{0}b")]), 3),
                    Reading(Series(String(repeating: "x", count: 3000)), 4),
                ])
        ])
        #expect(block.columns.map(\.series) == [Series("good")])
    }

    @Test func `a series that comes twice in a tick keeps its first value`() {
        let block = Block([Tick(at: 0, readings: [Reading(Series("m"), 1), Reading(Series("m"), 2)])])
        #expect(block.columns[0].values == [1])
    }

    @Test func `steady metrics cost little more than a bit a sample`() {
        var ticks: [Tick] = []
        for index in 0..<360 {
            ticks.append(Tick(at: Int64(index) * 10_000, readings: [Reading(Series("c"), 5), Reading(Series("n"), Double(index))]))
        }
        #expect(Block(ticks).encoded().count < 360)
    }

    @Test func `a block that would unfold into gigabytes is refused by its counts`() {
        var writer = ByteWriter()
        writer.byte(2)
        writer.varint(65_536)
        writer.varint(4_096)
        #expect(throws: DecodingError(.tooLarge, "block.columns")) { try Block(decoding: writer.bytes[...]) }
    }

    @Test(arguments: [[0x60], [0, 0, 1, UInt8(ascii: "m"), 0], [0, 1, 0, 33]])
    func `a series that stands twice in a block is refused`(second: [UInt8]) {
        // The header of one tick and two columns, a schema that is not coded, two constants.
        let schema: [UInt8] = [0, 0, 1, UInt8(ascii: "m"), 0] + second
        let bytes: [UInt8] = [2, 1, 2, 2, 0, 0, 0x30, 0, UInt8(schema.count) << 1] + schema + [0x30, 2, 0x30, 2]
        #expect(throws: DecodingError(.duplicateSeries, "block.series")) { try Block(decoding: bytes[...]) }
    }

    @Test func `every truncation ends in a typed error`() {
        let bytes = Self.block([1, 2.5, nil, .nan, 1e9]).encoded()
        for length in 0..<bytes.count { #expect(throws: DecodingError.self) { try Block(decoding: bytes[..<length]) } }
    }

    @Test func `random bytes never trap`() {
        var random = Seeded(state: 5)
        for _ in 0..<20_000 {
            var bytes = (0..<Int.random(in: 0...64, using: &random)).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            if !bytes.isEmpty { bytes[0] = 2 }
            _ = try? Block(decoding: bytes[...])
            _ = try? Batch(decoding: [0x46, 0x57, 1, 0] + bytes)
            _ = try? Acknowledgement(decoding: [0x46, 0x41, 1, 0] + bytes)
            _ = try? SequenceRanges(decoding: bytes)
        }
    }
}
