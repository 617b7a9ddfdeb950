import Telemetry
import Testing

struct SequenceRangesTests {
    @Test(arguments: 0..<20) func `it behaves as a set does, whatever the order`(seed: UInt64) throws {
        var random = Seeded(state: seed)
        var ranges = SequenceRanges()
        var set: Set<UInt64> = []
        for _ in 0..<600 {
            let sequence = UInt64.random(in: 1...200, using: &random)
            #expect(ranges.insert(sequence) == set.insert(sequence).inserted)
        }
        for sequence in UInt64(0)...201 { #expect(ranges.contains(sequence) == set.contains(sequence)) }
        #expect(ranges.count == UInt64(set.count))
        for (one, next) in zip(ranges.ranges, ranges.ranges.dropFirst()) { #expect(one.upperBound + 1 < next.lowerBound) }
        #expect(try SequenceRanges(decoding: ranges.encoded()) == ranges)
    }

    @Test func `a million sequences without a gap take a few bytes`() {
        var ranges = SequenceRanges()
        for sequence in UInt64(1)...1_000_000 { ranges.insert(sequence) }
        #expect(ranges.encoded().count <= 5)
    }

    @Test(arguments: 0..<20) func `whole ranges go in and out as they do in a set`(seed: UInt64) throws {
        var random = Seeded(state: seed)
        var ranges = SequenceRanges()
        var set: Set<UInt64> = []
        for _ in 0..<300 {
            let first = UInt64.random(in: 0...200, using: &random)
            let range = first...(first + UInt64.random(in: 0...30, using: &random))
            #expect(ranges.count(in: range) == UInt64(set.intersection(range).count))
            #expect(ranges.gaps(in: range).flatMap { Array($0) } == range.filter { !set.contains($0) })
            if Bool.random(using: &random) {
                ranges.insert(range)
                set.formUnion(range)
            } else {
                ranges.remove(range)
                set.subtract(range)
            }
            #expect(ranges.count == UInt64(set.count))
        }
        for sequence in UInt64(0)...240 { #expect(ranges.contains(sequence) == set.contains(sequence)) }
        for (one, next) in zip(ranges.ranges, ranges.ranges.dropFirst()) { #expect(one.upperBound + 1 < next.lowerBound) }
    }

    @Test func `the last sequence there is needs no room behind it`() {
        var ranges = SequenceRanges()
        ranges.insert((UInt64.max - 1)...UInt64.max)
        ranges.insert(5...UInt64.max)
        #expect(ranges.ranges == [5...UInt64.max])
        ranges.remove(7...UInt64.max)
        #expect(ranges.ranges == [5...6])
    }

    @Test func `as a part of something else they are read up to a bound of ranges and of sequences`() throws {
        var ranges = SequenceRanges()
        for range in [UInt64(3)...5, 9...9, 20...30] { ranges.insert(range) }
        var writer = ByteWriter()
        ranges.write(to: &writer)
        writer.byte(7)
        var reader = ByteReader(writer.bytes)
        #expect(try SequenceRanges(from: &reader, "part", rangesMax: 3, sequenceMax: 30) == ranges)
        #expect(try reader.byte("next") == 7)
        for (count, sequence) in [(2, UInt64(30)), (3, 29)] {
            var reader = ByteReader(writer.bytes)
            #expect(throws: DecodingError.self) { try SequenceRanges(from: &reader, "part", rangesMax: count, sequenceMax: sequence) }
        }
    }
}
