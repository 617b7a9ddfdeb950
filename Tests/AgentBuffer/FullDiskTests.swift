import AgentBuffer
import Foundation
import LinuxDriver
import SQLiteDriver
import Telemetry
import Testing

struct FullDiskTests {
    private let fixture: BufferFixture

    init() throws { fixture = try BufferFixture() }

    /// Room for the log, and so much for the database.
    private func limits(databaseKibibytes: Int64) -> BufferLimits {
        var limits = BufferLimits()
        limits.bytesMax = (1_536 + databaseKibibytes) * 1_024
        return limits
    }

    private func random(_ generator: inout Seeded) -> Double { Double(bitPattern: UInt64.random(in: 0...(.max / 3), using: &generator)) }

    @Test func `a file that ticks have filled can still be sealed, and takes ticks again`() throws {
        let buffer = try fixture.open(limits(databaseKibibytes: 256))
        var generator = Seeded(state: 3)
        var taken = 0
        #expect(
            performing: {
                while taken < 10_000 {
                    let readings = (0..<50).map { Reading(Series("s\($0)"), random(&generator)) }
                    try buffer.append(Tick(at: fixture.time.wall, readings: readings))
                    taken += 1
                }
            }, throws: { ($0 as? BufferError)?.reason == .full })
        #expect(buffer.unsealedTicks == taken)
        #expect(try buffer.seal(goingOut: false) != nil)
        #expect(buffer.unsealedTicks == 0)
        try buffer.append(fixture.tick())
        #expect(try buffer.seal(goingOut: false) == buffer.newestSequence)
    }

    @Test func `a seal that finds no room leaves the ticks unsealed, and succeeds when there is room`() throws {
        // Names so long that every batch of ten ticks or so is full of them: the batches are far larger than the rows.
        var generator = Seeded(state: 4)
        let names = (0..<60).map { _ in "n" + (0..<1_000).map { _ in String(UnicodeScalar(UInt8.random(in: 97...122, using: &generator))) }.joined() }
        let count = 200
        do {
            let buffer = try fixture.open(limits(databaseKibibytes: 1_024))
            for _ in 0..<count {
                try buffer.append(Tick(at: fixture.time.wall, readings: names.map { Reading(Series($0), random(&generator)) }))
            }
            for _ in 0..<2 {
                #expect(performing: { try buffer.seal(goingOut: false) }, throws: { ($0 as? BufferError)?.reason == .full })
                #expect(buffer.unsealedTicks == count)
                #expect(buffer.unsealedSamples == count * names.count)
                #expect(buffer.newestSequence == 0)
                #expect(try buffer.status().unsealedTicks == Int64(count))
            }
        }
        let buffer = try fixture.open()
        #expect(buffer.unsealedTicks == count)
        #expect(try buffer.seal(goingOut: false) == buffer.newestSequence)
        #expect(try fixture.ticks(in: buffer).count == count)
    }

    @Test func `a write that fails leaves the ticks unsealed, and the next seal takes them`() throws {
        let buffer = try fixture.open()
        try buffer.append(fixture.tick(1))
        try fixture.alter("CREATE TRIGGER refusal BEFORE INSERT ON batches BEGIN SELECT RAISE(ABORT, 'refused'); END")
        #expect(performing: { try buffer.seal(goingOut: false) }, throws: { ($0 as? BufferError)?.reason == .storage })
        #expect(performing: { try buffer.append(.event, json: "{}", goingOut: false) }, throws: { $0 is BufferError })
        #expect(buffer.unsealedTicks == 1 && buffer.newestSequence == 0)
        try buffer.append(fixture.tick(2))
        try fixture.alter("DROP TRIGGER refusal")
        #expect(try buffer.seal(goingOut: false) == 1)
        #expect(try fixture.ticks(in: buffer).map { $0.readings[0].value } == [1, 2])
    }

    @Test func `the sequence that a seal or an event returns is the newest, its eviction's receipt included`() throws {
        var limits = BufferLimits()
        limits.bytesMax = BufferLimits.bytesMaxLeast
        let buffer = try fixture.open(limits)
        let text = String(repeating: "x", count: 60_000)
        for _ in 0..<100 { #expect(try buffer.append(.event, json: "{\"type\":\"\(text)\"}", goingOut: false) == buffer.newestSequence) }
        #expect(buffer.evictedBatches > 0)
        #expect(buffer.newestSequence > 100)
    }

    @Test func `a receipt that cannot be written is owed, and goes out with the next seal`() throws {
        var limits = BufferLimits()
        limits.bytesMax = BufferLimits.bytesMaxLeast
        let buffer = try fixture.open(limits)
        try buffer.append(fixture.tick())
        try buffer.seal(goingOut: false)
        try fixture.alter(
            """
            CREATE TRIGGER refusal BEFORE INSERT ON batches WHEN length(NEW.bytes) BETWEEN 200 AND 1000
            BEGIN SELECT RAISE(ABORT, 'refused'); END
            """)
        let text = String(repeating: "x", count: 60_000)
        var refused = false
        for _ in 0..<100 where !refused {
            do { try buffer.append(.event, json: "{\"type\":\"\(text)\"}", goingOut: false) } catch { refused = true }
        }
        #expect(refused && buffer.evictedBatches > 0)
        try fixture.alter("DROP TRIGGER refusal")
        try buffer.append(.event, json: "{}", goingOut: false)
        let receipts = try fixture.events("eviction", in: buffer)
        #expect(receipts.compactMap { $0["batches"] as? Int }.reduce(0, +) == buffer.evictedBatches)
    }
}
