import AgentBuffer
import Foundation
import LinuxDriver
import SQLiteDriver
import Telemetry
import Testing

struct UnsealedTicksTests {
    private let fixture: BufferFixture
    private var time: FakeClock { fixture.time }

    init() throws { fixture = try BufferFixture() }

    /// Sets the clock of a board without a battery.
    private func unsetClock() { time.step(wall: -time.wall + 5_000) }

    /// Ticks a second apart, with their numbers as values.
    private func appendTicks(_ count: Int, from first: Int = 0, to buffer: Buffer) throws {
        for number in first..<first + count {
            try buffer.append(fixture.tick(Double(number)))
            time.advance(1_000)
        }
    }

    @Test func `while the clock is unset no more than pendingTicksMax ticks wait, and a receipt tells which were thinned out`() throws {
        let count = 20_000
        unsetClock()
        let bootBefore = time.clock.boot()
        let buffer = try fixture.open()
        for first in stride(from: 0, to: count, by: 1_000) {
            try appendTicks(1_000, from: first, to: buffer)
            #expect(buffer.unsealedTicks <= BufferLimits.pendingTicksMax)
            #expect(Int(try buffer.status().unsealedTicks) == buffer.unsealedTicks)
            #expect(buffer.unsealedSamples == buffer.unsealedTicks)
            #expect(try buffer.seal(goingOut: false) == nil)
        }
        #expect(try buffer.status().batches == 0)
        time.step(wall: 1_800_000_000_000)
        let bootEpoch = time.wall - time.clock.boot()
        let newest = try #require(try buffer.seal(goingOut: false))
        #expect(newest == buffer.newestSequence)

        let ticks = try fixture.ticks(in: buffer)
        let receipts = try fixture.events("thinned_ticks", in: buffer)
        #expect(receipts.count == 1)
        #expect(receipts[0]["ticks"] as? Int == count - ticks.count)
        #expect(receipts[0]["samples"] as? Int == count - ticks.count)
        #expect(receipts[0]["at"] as? String == Timestamp.text(time.wall))
        // The second tick is the first that went.
        #expect(receipts[0]["from"] as? String == Timestamp.text(bootEpoch + bootBefore + 1_000))
        let to = try #require(Timestamp.parse(receipts[0]["to"] as? String ?? ""))
        #expect(to > bootEpoch + bootBefore && to < time.wall)
        // The first and the newest half are there as they were taken.
        #expect(ticks[0].readings[0].value == 0)
        #expect(ticks.suffix(4_000).map { $0.readings[0].value } == (count - 4_000..<count).map(Double.init))
        #expect(try buffer.status().unsealedTicks == 0)

        try buffer.append(fixture.tick())
        try buffer.seal(goingOut: false)
        #expect(try fixture.events("thinned_ticks", in: buffer).count == 1)
    }

    @Test func `the receipt for thinned ticks survives a restart, and leaves out times that nobody can know`() throws {
        let count = BufferLimits.pendingTicksMax + 10
        unsetClock()
        do { try appendTicks(count, to: try fixture.open()) }
        // As if they were of an earlier boot.
        try fixture.alter("UPDATE ticks SET boot_id = boot_id + 1")
        time.step(wall: 1_800_000_000_000)
        let buffer = try fixture.open()
        #expect(buffer.unsealedTicks == count - BufferLimits.pendingTicksMax / 4)
        try buffer.append(fixture.tick())
        #expect(try buffer.seal(goingOut: false) != nil)
        #expect(buffer.unplaceableTicks == count - BufferLimits.pendingTicksMax / 4)
        let receipts = try fixture.events("thinned_ticks", in: buffer)
        #expect(receipts.count == 1)
        #expect(receipts[0]["ticks"] as? Int == BufferLimits.pendingTicksMax / 4)
    }

    @Test func `more rows than may wait are thinned when the buffer is opened, none is lost silently`() throws {
        do { _ = try fixture.open() }
        let count = 70_000
        try fixture.alter(
            """
            INSERT INTO series(id, key) VALUES(1, CAST('m' AS BLOB));
            WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < \(count - 1))
            INSERT INTO ticks(at, boot, boot_id, readings) SELECT 1800000000000 - \(count) + i, 0, 0, x'01000000000000F03F' FROM n;
            """)
        let buffer = try fixture.open()
        #expect(buffer.unsealedTicks <= BufferLimits.pendingTicksMax)
        #expect(Int(try buffer.status().unsealedTicks) == buffer.unsealedTicks)
        try buffer.seal(goingOut: false)
        let receipt = try #require(try fixture.events("thinned_ticks", in: buffer).first)
        #expect(try fixture.ticks(in: buffer).count + (receipt["ticks"] as? Int ?? 0) == count)
        #expect(receipt["from"] as? String == Timestamp.text(1_800_000_000_000 - Int64(count) + 1))
    }

    @Test func `impossible times in a damaged row do not stop the buffer`() throws {
        do { try fixture.open().append(fixture.tick()) }
        try fixture.alter("UPDATE ticks SET at = -9223372036854775807, boot = 9223372036854775807")
        let buffer = try fixture.open()
        _ = buffer.isSealDue
        #expect(try buffer.seal(goingOut: false) == nil)
        #expect(buffer.unplaceableTicks == 1)
    }

    @Test func `ticks times series that no collector would unfold become several batches`() throws {
        // Constant values: few bytes, many samples.
        let names = (0..<Block.columnsMax).map { "s\($0)" }
        let count = Block.samplesMax / names.count + 1
        let buffer = try fixture.open()
        for _ in 0..<count { try buffer.append(fixture.tick(0, names)) }
        #expect(try buffer.seal(goingOut: false) == 2)
        #expect(try fixture.batches(in: buffer).map { try Block(decoding: $0.payload).sampleCount }.reduce(0, +) == count * names.count)
    }

    @Test func `more series than a block has columns become several batches`() throws {
        let buffer = try fixture.open()
        for part in 0..<2 { try buffer.append(fixture.tick(1, (0..<3_000).map { "s\(part)_\($0)" })) }
        try buffer.append(fixture.tick(1, (0..<5_000).map { "t\($0)" }))
        try buffer.seal(goingOut: false)
        #expect(try fixture.batches(in: buffer).map { try Block(decoding: $0.payload).sampleCount }.reduce(0, +) == 11_000)
    }

    @Test func `a series of a tick that found no room does not lend its number to another`() throws {
        var limits = BufferLimits()
        limits.bytesMax = 1_536 * 1_024 + 128 * 1_024
        do {
            let buffer = try fixture.open(limits)
            let large = Tick(at: time.wall, readings: [Reading(Series("x"), 0)] + Array(repeating: Reading(Series("m"), 0), count: 20_000))
            #expect(performing: { try buffer.append(large) }, throws: { ($0 as? BufferError)?.reason == .full })
            #expect(buffer.unsealedTicks == 0)
            try buffer.append(fixture.tick(1, ["y"]))
            try buffer.append(fixture.tick(2, ["x"]))
            try buffer.append(fixture.tick(3, ["m"]))
        }
        let buffer = try fixture.open(limits)
        try buffer.seal(goingOut: false)
        #expect(try fixture.ticks(in: buffer).flatMap(\.readings) == [Reading(Series("y"), 1), Reading(Series("x"), 2), Reading(Series("m"), 3)])
    }

    @Test func `series that came and went leave room for new ones`() throws {
        do {
            let buffer = try fixture.open()
            for part in 0..<5 {
                try buffer.append(fixture.tick(1, (0..<1_000).map { "s\(part)_\($0)" }))
                try buffer.seal(goingOut: false)
            }
            try buffer.append(fixture.tick(2, ["new"]))
        }
        let buffer = try fixture.open()
        #expect(buffer.unsealedSamples == 1)
        try buffer.seal(goingOut: false)
        #expect(try fixture.ticks(in: buffer).last?.readings == [Reading(Series("new"), 2)])
    }
}
