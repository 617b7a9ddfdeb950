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
        limits.reserveBytes = 0
        limits.bytesMax = (1_600 + databaseKibibytes) * 1_024
        return limits
    }

    private func random(_ generator: inout Seeded) -> Double { Double(bitPattern: UInt64.random(in: 0...(.max / 3), using: &generator)) }

    @Test func `a buffer that cannot seal keeps within its size by thinning what waits, and takes ticks all the time`() throws {
        fixture.time.step(wall: -fixture.time.wall + 5_000)
        let limits = limits(databaseKibibytes: 256)
        let buffer = try fixture.open(limits)
        var generator = Seeded(state: 3)
        let count = 2_000
        for _ in 0..<count {
            let readings = (0..<50).map { Reading(Series("s\($0)"), random(&generator)) }
            try buffer.append(Tick(at: fixture.time.wall, readings: readings))
            #expect(try fixture.filesBytes() <= Int(limits.bytesMax))
        }
        let left = buffer.unsealedTicks
        fixture.time.step(wall: 1_800_000_000_000)
        #expect(try buffer.seal(goingOut: true) != nil)
        #expect(buffer.unsealedTicks == 0)
        #expect(fixture.sum("ticks", try fixture.receipts("dropped", "pending", in: buffer)) == count - left)
        try buffer.append(fixture.tick())
        #expect(try buffer.seal(goingOut: false) == buffer.newestSequence)
    }

    @Test func `a seal that is larger than the buffer gives up the oldest of it, with a receipt`() throws {
        // Names so long that every batch of ten ticks or so is full of them: the batches are far larger than the rows. Capitals,
        // since the code of names makes small letters smaller.
        var generator = Seeded(state: 4)
        let names = (0..<60).map { _ in "n" + (0..<1_000).map { _ in String(UnicodeScalar(UInt8.random(in: 65...90, using: &generator))) }.joined() }
        let count = 200
        let buffer = try fixture.open(limits(databaseKibibytes: 1_024))
        for _ in 0..<count {
            try buffer.append(Tick(at: fixture.time.wall, readings: names.map { Reading(Series($0), random(&generator)) }))
        }
        #expect(try buffer.seal(goingOut: true) == buffer.newestSequence)
        #expect(buffer.unsealedTicks == 0 && buffer.evictedBatches > 0)
        // Writing receipts may give up more, of which the next ones tell.
        while try buffer.status().receiptsOwed > 0 { try buffer.seal(goingOut: true) }
        let (dropped, thinned) = (try fixture.receipts("dropped", "size", in: buffer), try fixture.receipts("thinned", "size", in: buffer))
        let away = fixture.sum("samples", dropped) + fixture.sum("samples", thinned) - fixture.sum("samples_left", thinned)
        #expect(Int(try buffer.status().samples) + away == count * names.count)
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

    @Test func `a tick that is in the file is taken, also when no room can be made behind it`() throws {
        var limits = BufferLimits()
        limits.bytesMax = BufferLimits.bytesMaxLeast
        let buffer = try fixture.open(limits)
        try fixture.alter("CREATE TRIGGER refusal BEFORE DELETE ON batches BEGIN SELECT RAISE(ABORT, 'refused'); END")
        let text = String(repeating: "x", count: 60_000)
        #expect(
            performing: { while true { try buffer.append(.event, json: "{\"type\":\"\(text)\"}", goingOut: false) } },
            throws: { ($0 as? BufferError)?.reason == .storage })
        // Its batches are over the bound now, and none can be deleted.
        try buffer.append(fixture.tick(1))
        #expect(buffer.unsealedTicks == 1)
        // The seal has something to say of that.
        #expect(performing: { try buffer.seal(goingOut: false) }, throws: { ($0 as? BufferError)?.reason == .storage })
    }

    @Test func `the sequence that a seal or an event returns is the newest, its eviction's receipt included`() throws {
        var limits = BufferLimits()
        limits.bytesMax = BufferLimits.bytesMaxLeast
        let buffer = try fixture.open(limits)
        let text = String(repeating: "x", count: 60_000)
        for _ in 0..<100 { #expect(try buffer.append(.event, json: "{\"type\":\"\(text)\"}", goingOut: true) == buffer.newestSequence) }
        #expect(buffer.evictedBatches > 0)
        #expect(buffer.newestSequence > 100)
    }

    @Test func `while the device is cut off receipts are owed, one of a kind, and a restart does not lose them`() throws {
        var limits = BufferLimits()
        limits.bytesMax = BufferLimits.bytesMaxLeast
        let text = String(repeating: "x", count: 60_000)
        let evicted: Int
        do {
            let buffer = try fixture.open(limits)
            for _ in 0..<100 { try buffer.append(.event, json: "{\"type\":\"\(text)\"}", goingOut: false) }
            evicted = buffer.evictedBatches
            #expect(evicted > 0)
            #expect(try fixture.events("eviction_receipt", in: buffer).isEmpty)
            #expect(try buffer.status().receiptsOwed == 1)
        }
        let buffer = try fixture.open(limits)
        #expect(try buffer.seal(goingOut: true) == buffer.newestSequence)
        let receipts = try fixture.receipts("dropped", "size", in: buffer)
        #expect(receipts.count == 1)
        #expect((receipts[0]["sequences"] as? [[Int]])?.reduce(0) { $0 + $1[1] - $1[0] + 1 } == evicted)
        #expect(try buffer.seal(goingOut: true) == nil)
    }
}
