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
        let newest = try #require(try buffer.seal(goingOut: true))
        #expect(newest == buffer.newestSequence)

        let ticks = try fixture.ticks(in: buffer)
        let receipts = try fixture.receipts("dropped", "pending", in: buffer)
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
        #expect(try fixture.receipts("dropped", "pending", in: buffer).count == 1)
    }

    @Test func `the receipt for thinned ticks survives a restart, and leaves out times that nobody can know`() throws {
        let count = BufferLimits.pendingTicksMax + 10
        unsetClock()
        do { try appendTicks(count, to: try fixture.open()) }
        time.step(wall: 1_800_000_000_000)
        let buffer = try fixture.open(bootId: 2)
        #expect(buffer.unsealedTicks == count - BufferLimits.pendingTicksMax / 4)
        try buffer.append(fixture.tick())
        #expect(try buffer.seal(goingOut: true) != nil)
        #expect(buffer.unplaceableTicks == count - BufferLimits.pendingTicksMax / 4)
        let receipts = try fixture.receipts("dropped", "pending", in: buffer)
        #expect(receipts.count == 1)
        #expect(receipts[0]["ticks"] as? Int == count)
        #expect(receipts[0]["from"] == nil && receipts[0]["to"] == nil)
    }

    @Test func `more ticks than a smaller buffer may keep waiting are thinned when it is opened, none is lost silently`() throws {
        let names = (0..<50).map { "s\($0)" }
        let count = 1_000
        do {
            let buffer = try fixture.open()
            for _ in 0..<count { try buffer.append(fixture.tick(1, names)) }
            #expect(buffer.unsealedTicks == count)
        }
        var limits = BufferLimits()
        limits.bytesMax = BufferLimits.bytesMaxLeast - 1_024 * 1_024
        let buffer = try fixture.open(limits)
        #expect(buffer.unsealedTicks < count && buffer.unsealedTicks > 100)
        #expect(Int(try buffer.status().unsealedTicks) == buffer.unsealedTicks)
        try buffer.seal(goingOut: true)
        let receipts = try fixture.receipts("dropped", "pending", in: buffer)
        #expect(try fixture.ticks(in: buffer).count + fixture.sum("ticks", receipts) == count)
        #expect(fixture.sum("samples", receipts) == fixture.sum("ticks", receipts) * names.count)
    }

    @Test func `samples that wait are bounded as ticks are`() throws {
        let names = (0..<1_000).map { "s\($0)" }
        unsetClock()
        let buffer = try fixture.open()
        for _ in 0..<400 {
            try buffer.append(fixture.tick(1, names))
            #expect(buffer.unsealedSamples <= BufferLimits.pendingSamplesMax)
        }
        #expect(buffer.unsealedTicks > BufferLimits.pendingSamplesMax / names.count / 2)
    }

    @Test(arguments: ["at = at + 1", "boot = 9223372036854775807", "boot_id = 7", "id = id + 100", "readings = x'00'"])
    func `a damaged row of a tick is left out at opening, with a receipt`(change: String) throws {
        do {
            let buffer = try fixture.open()
            try buffer.append(fixture.tick(1))
            try buffer.append(fixture.tick(2))
        }
        try fixture.alter("UPDATE ticks SET \(change) WHERE id = 2")
        let buffer = try fixture.open()
        #expect(buffer.damage == nil)
        #expect(buffer.unsealedTicks == 1)
        try buffer.append(fixture.tick(3))
        try buffer.seal(goingOut: true)
        #expect(try fixture.ticks(in: buffer).map { $0.readings[0].value } == [1, 3])
        #expect(fixture.sum("ticks", try fixture.receipts("dropped", "damage", in: buffer)) == 1)
    }

    @Test func `the row of a tick that is sealed already is not sealed again`() throws {
        do {
            let buffer = try fixture.open()
            try buffer.append(fixture.tick(1))
            try fixture.alter("CREATE TABLE stale AS SELECT * FROM ticks")
            try buffer.seal(goingOut: true)
            try buffer.append(fixture.tick(2))
        }
        try fixture.alter("INSERT INTO ticks SELECT * FROM stale")
        let buffer = try fixture.open()
        #expect(buffer.unsealedTicks == 1)
        try buffer.seal(goingOut: true)
        #expect(try fixture.ticks(in: buffer).map { $0.readings[0].value } == [1, 2])
        #expect(try fixture.receipts("dropped", "damage", in: buffer).isEmpty)
        #expect(try Database(path: fixture.path, access: .readOnly).integer("SELECT count(*) FROM ticks") == 0)
    }

    @Test func `a tick that has lost all of its readings is not sealed empty, but in the receipt`() throws {
        do { try fixture.open().append(fixture.tick(1, ["m", "n"])) }
        try fixture.alter("UPDATE series SET checksum = checksum + 1")
        let buffer = try fixture.open()
        #expect(buffer.unsealedTicks == 0)
        try buffer.append(fixture.tick(2))
        try buffer.seal(goingOut: true)
        #expect(try fixture.ticks(in: buffer).allSatisfy { !$0.readings.isEmpty })
        let receipts = try fixture.receipts("dropped", "damage", in: buffer)
        #expect(fixture.sum("ticks", receipts) == 1 && fixture.sum("samples", receipts) == 2)
    }

    @Test func `readings of a series whose row is damaged are left out at opening, with a receipt`() throws {
        do { try fixture.open().append(fixture.tick(1, ["m", "n"])) }
        try fixture.alter("UPDATE series SET key = CAST('x' AS BLOB) WHERE id = 2")
        let buffer = try fixture.open()
        try buffer.append(fixture.tick(2, ["m", "n"]))
        try buffer.seal(goingOut: true)
        #expect(try fixture.ticks(in: buffer).map { $0.readings.map(\.series.metric) } == [["m"], ["m", "n"]])
        let receipts = try fixture.receipts("dropped", "damage", in: buffer)
        #expect(fixture.sum("samples", receipts) == 1)
        #expect(receipts[0]["from"] as? String == Timestamp.text(time.wall) && receipts[0]["to"] as? String == Timestamp.text(time.wall))
    }

    @Test func `ticks times series that no collector would unfold become several batches`() throws {
        // A few of very many series at each tick: few samples, much to unfold.
        let (names, each) = (Block.columnsMax, 500)
        let count = Block.samplesMax / names + 1
        let buffer = try fixture.open()
        for number in 0..<count { try buffer.append(fixture.tick(0, (0..<each).map { "s\((number * each + $0) % names)" })) }
        #expect(try #require(try buffer.seal(goingOut: false)) > 1)
        #expect(try fixture.batches(in: buffer).map { try Block(decoding: $0.payload).sampleCount }.reduce(0, +) == count * each)
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
        limits.reserveBytes = 0
        limits.bytesMax = 1_600 * 1_024 + 128 * 1_024
        do {
            let buffer = try fixture.open(limits)
            let large = Tick(at: time.wall, readings: [Reading(Series("x"), 0)] + Array(repeating: Reading(Series("m"), 0), count: 20_000))
            #expect(performing: { try buffer.append(large) }, throws: { ($0 as? BufferError)?.reason == .storage })
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
