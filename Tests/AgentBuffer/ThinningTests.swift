import AgentBuffer
import Foundation
import LinuxDriver
import Telemetry
import Testing

/// The whole path of thinning, on a real file: what it makes of known values, what it leaves alone, and what it tells.
struct ThinningTests {
    private let fixture: BufferFixture
    private var time: FakeClock { fixture.time }
    private let limits: BufferLimits

    init() throws {
        fixture = try BufferFixture()
        // To a whole ten minutes, so that buckets are easy to name.
        fixture.time.step(wall: 600_000 - fixture.time.wall % 600_000)
        var limits = BufferLimits()
        limits.bytesMax = 2_624 * 1_024
        limits.reserveBytes = 0
        self.limits = limits
    }

    /// A gauge whose values count up, a counter, and enough of what does not compress to fill a buffer.
    private func append(_ number: Int, to buffer: Buffer, filling: Int = 40) throws {
        var random = Seeded(state: UInt64(number))
        var readings = [Reading(Series("gauge", [Label("l", "x")]), Double(number) / 10), Reading(Series("bytes_total"), Double(number * 3))]
        // All bits of it random, so that no code makes it small.
        readings += (0..<filling).map { Reading(Series("noise\($0)"), Double(bitPattern: UInt64.random(in: 0...(.max / 3), using: &random))) }
        try buffer.append(Tick(at: time.wall, readings: readings))
        time.advance(10_000)
    }

    /// What no test comes near; a condition that never holds ends here.
    private static let ticksMax = 60_000

    /// Takes ticks and seals each minute of them until something has happened; how many they were.
    private func fill(_ buffer: Buffer, goingOut: Bool = false, from first: Int = 0, until isDone: () -> Bool) throws -> Int {
        var number = first
        while !isDone() {
            guard number < first + Self.ticksMax else { throw CancellationError() }
            for _ in 0..<6 {
                try append(number, to: buffer)
                number += 1
            }
            try buffer.seal(goingOut: goingOut)
            if number % 60 == 0 { #expect(try fixture.filesBytes() <= Int(limits.bytesMax)) }
        }
        return number - first
    }

    @Test func `a full buffer thins the oldest to minutes, then to ten minutes, drops at last, and every tick is held or in a receipt`() throws {
        let buffer = try fixture.open(limits)
        let count = try fill(buffer) { buffer.evictedBatches > 2 }
        try buffer.seal(goingOut: true)
        let batches = try fixture.batches(in: buffer).filter { $0.kind == .samples }
        #expect(Set(batches.map(\.resolution)) == [0, 60, 600])
        // The past is coarse, the present fine.
        let resolutions = batches.reversed().map(\.resolution)
        #expect(resolutions.first == 600 && resolutions.last == 0)
        // Every sequence is held, or was dropped with a receipt.
        var held: Set<UInt64> = []
        for batch in batches { for sequence in batch.firstSequence...batch.sequence { #expect(held.insert(sequence).inserted) } }
        let dropped = try fixture.receipts("dropped", "size", in: buffer)
        var given: Set<UInt64> = []
        for receipt in dropped {
            for pair in receipt["sequences"] as? [[Int]] ?? [] { for sequence in pair[0]...pair[1] { given.insert(UInt64(sequence)) } }
        }
        #expect(held.isDisjoint(with: given))
        let newest = try #require(batches.first?.sequence)
        let events = Set(try fixture.batches(in: buffer).filter { $0.kind == .event }.map(\.sequence))
        #expect(held.union(given).union(events) == Set(1...buffer.newestSequence))
        #expect(newest >= UInt64(count / 6))
        // Receipts of thinning name the samples before and after: what was taken is what is held, thinned away, or dropped.
        let thinned = try fixture.receipts("thinned", "size", in: buffer)
        let away = fixture.sum("samples", thinned) - fixture.sum("samples_left", thinned)
        #expect(Int(try buffer.status().samples) + away + fixture.sum("samples", dropped) == count * 42)
        #expect(thinned.count + dropped.count <= 6)
    }

    @Test func `a thinned tick has the mean, the least, the most and the count of its minute, and a counter's last value`() throws {
        let buffer = try fixture.open(limits)
        _ = try fill(buffer) { buffer.thinnedBatches > 100 }
        let first = try #require(try fixture.batches(in: buffer).last { $0.kind == .samples && $0.resolution == 60 })
        let tick = try #require(try Block(decoding: first.payload).ticks().dropFirst().first)
        let values = Dictionary(uniqueKeysWithValues: tick.readings.map { ($0.series.description, $0.value) })
        let last = try #require(values["bytes_total"]) / 3
        #expect(values["gauge{l=\"x\"}"] == (last * 10 - 25).rounded() / 100)
        #expect(values["gauge:min{l=\"x\"}"] == (last - 5) / 10)
        #expect(values["gauge:max{l=\"x\"}"] == last / 10)
        #expect(values["gauge:count{l=\"x\"}"] == 6)
        #expect(values["bytes_total:count"] == nil)
        // The time of the newest tick in the minute.
        #expect(tick.at % 60_000 == 50_000)
        #expect(first.span > 1)
    }

    @Test func `ten minutes weigh their minutes by counts, and keep the least of the least`() throws {
        let buffer = try fixture.open(limits)
        _ = try fill(buffer) { buffer.evictedBatches > 0 }
        let batches = try fixture.batches(in: buffer).filter { $0.resolution == 600 }
        let ticks = try batches.flatMap { try Block(decoding: $0.payload).ticks() }
        var seen = 0
        for tick in ticks {
            let values = Dictionary(uniqueKeysWithValues: tick.readings.map { ($0.series.description, $0.value) })
            let (least, most) = (try #require(values["gauge:min{l=\"x\"}"]), try #require(values["gauge:max{l=\"x\"}"]))
            let (mean, count) = (try #require(values["gauge{l=\"x\"}"]), try #require(values["gauge:count{l=\"x\"}"]))
            #expect(((most - least) * 10).rounded() == count - 1)
            #expect(abs(mean - (least + most) / 2) < 0.01)
            if count == 60 { seen += 1 }
        }
        #expect(seen > ticks.count / 2)
    }

    @Test func `what may have been sent is never thinned, only dropped`() throws {
        let buffer = try fixture.open(limits)
        _ = try fill(buffer, goingOut: true) { buffer.evictedBatches > 100 }
        #expect(buffer.thinnedBatches == 0)
        #expect(try fixture.batches(in: buffer).allSatisfy { $0.span == 1 && $0.resolution == 0 })
    }

    @Test func `a batch that is marked as sent keeps its sequence through a restart, its neighbours are thinned`() throws {
        let marked: UInt64 = 200
        do {
            let buffer = try fixture.open(limits)
            _ = try fill(buffer) { buffer.newestSequence > marked }
            #expect(buffer.thinnedBatches == 0)
            try buffer.markSent(marked)
        }
        let buffer = try fixture.open(limits)
        _ = try fill(buffer, from: 1_800) { buffer.thinnedBatches > Int(marked) }
        for batch in try fixture.batches(in: buffer) where batch.span > 1 {
            // The older ones of the mark's stretch too.
            #expect(!(batch.firstSequence...batch.sequence).overlaps(marked - 63...marked))
        }
    }

    @Test func `ticks that are a minute apart are not made larger, but thinned to ten minutes at once`() throws {
        let buffer = try fixture.open(limits)
        var number = 0
        while buffer.thinnedBatches == 0, number < Self.ticksMax {
            try append(number, to: buffer)
            time.advance(50_000)
            number += 1
            if number % 6 == 0 { try buffer.seal(goingOut: false) }
        }
        let resolutions = Set(try fixture.batches(in: buffer).map(\.resolution))
        #expect(resolutions == [0, 600])
    }

    @Test(arguments: ["gauge:count", "bytes_total:max"])
    func `a series that is called as another one's companion is not lost: such batches are not thinned`(name: String) throws {
        let buffer = try fixture.open(limits)
        var number = 0
        while buffer.evictedBatches == 0, number < Self.ticksMax {
            let noise = (0..<40).map { Reading(Series("noise\($0)_total"), Double(number * 7919 + $0) / 7) }
            let own = Reading(Series(name, [Label("l", "x")]), Double(number))
            let base = Reading(Series(String(name.split(separator: ":")[0]), [Label("l", "x")]), 2)
            try buffer.append(Tick(at: time.wall, readings: [base, own] + noise))
            time.advance(10_000)
            number += 1
            if number % 6 == 0 { try buffer.seal(goingOut: false) }
        }
        #expect(buffer.thinnedBatches == 0 && buffer.evictedBatches > 0)
    }

    @Test func `documents and events outlive samples, and receipts outlive them`() throws {
        let buffer = try fixture.open(limits)
        try buffer.append(.document, json: "{\"type\":\"certificate_report\"}", goingOut: false)
        _ = try fill(buffer, goingOut: true) { buffer.evictedBatches > 0 }
        _ = try fill(buffer, goingOut: true, from: 60_000) { buffer.newestSequence % 100 == 0 }
        #expect(try Batch(decoding: try #require(try buffer.batch(1))).kind == .document)
        let receipts = try fixture.events("eviction_receipt", in: buffer).count
        #expect(receipts > 0)
        let text = String(repeating: "x", count: 60_000)
        for _ in 0..<100 {
            try buffer.append(.event, json: "{\"type\":\"\(text)\"}", goingOut: true)
            #expect(try fixture.filesBytes() <= Int(limits.bytesMax))
        }
        #expect(try buffer.batch(1) == nil)
        #expect(try fixture.events("eviction_receipt", in: buffer).count > receipts)
    }

    @Test func `another process that reads for long holds up the log, and the bound holds all the same`() throws {
        let buffer = try fixture.open(limits)
        try append(0, to: buffer)
        let reader = try SQLiteReading(fixture.path)
        var refused = 0
        for number in 1..<2_000 {
            do { try append(number, to: buffer) } catch {
                #expect((error as? BufferError)?.reason == .full)
                refused += 1
            }
            #expect(try fixture.filesBytes() <= Int(limits.bytesMax))
        }
        #expect(refused > 0)
        reader.end()
        try append(2_000, to: buffer)
        try buffer.seal(goingOut: false)
    }
}
