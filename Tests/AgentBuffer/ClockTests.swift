import AgentBuffer
import Foundation
import LinuxDriver
import Telemetry
import Testing

/// Clocks that are not set, that step, that sleep: where the ticks end up in time. No test waits.
struct ClockTests {
    private let fixture: BufferFixture
    private var time: FakeClock { fixture.time }

    init() throws { fixture = try BufferFixture() }

    /// What happens to a device's clocks between two ticks.
    enum Event: Sendable {
        /// This many milliseconds pass, suspended or not: both clocks go on.
        case passes(Int64)
        /// The wall clock is set: it steps by so much.
        case steps(Int64)
        /// The machine starts again, its wall clock so far off.
        case reboots(wallOff: Int64)
    }

    struct Life: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// How far off the wall clock is at first.
        let wallOff: Int64
        /// A tick before each and after the last.
        let events: [Event]
        /// Which ticks cannot be placed.
        var unplaceable: Set<Int> = []
    }

    private static let year: Int64 = 31_536_000_000
    private static let hour: Int64 = 3_600_000
    /// Boards without a battery: the truth is 2027, the clock begins in 1970.
    private static let unset: Int64 = -1_800_000_000_000 + 30_000

    static let lives: [Life] = [
        Life(testDescription: "a clock that is right", wallOff: 0, events: [.passes(10_000), .passes(10_000)]),
        Life(
            testDescription: "1970, set an hour later", wallOff: unset,
            events: [.passes(hour / 2), .passes(hour / 2), .steps(-unset), .passes(10_000)]),
        Life(testDescription: "a step forward", wallOff: -hour, events: [.passes(10_000), .steps(hour), .passes(10_000)]),
        Life(testDescription: "a step back", wallOff: hour, events: [.passes(10_000), .steps(-hour), .passes(10_000)]),
        Life(testDescription: "there and back", wallOff: 0, events: [.steps(year), .passes(5_000), .steps(-year), .passes(5_000)]),
        Life(testDescription: "a night asleep", wallOff: 0, events: [.passes(10_000), .passes(8 * hour), .passes(10_000)]),
        Life(testDescription: "asleep before the clock was set", wallOff: unset, events: [.passes(8 * hour), .steps(-unset), .passes(1_000)]),
        Life(testDescription: "slewed", wallOff: 1_500, events: [.passes(10_000), .steps(-1_500), .passes(10_000)]),
        Life(testDescription: "a reboot with the clock right", wallOff: 0, events: [.passes(10_000), .reboots(wallOff: 0), .passes(10_000)]),
        Life(
            testDescription: "a reboot after the clock was set: the later ticks of that boot tell of the earlier", wallOff: unset,
            events: [.passes(10_000), .steps(-unset), .passes(10_000), .reboots(wallOff: unset), .passes(10_000), .steps(-unset)]),
        Life(
            testDescription: "a reboot before the clock was set: nobody knows", wallOff: unset,
            events: [.passes(10_000), .reboots(wallOff: unset), .passes(10_000), .steps(-unset)], unplaceable: [0, 1]),
        Life(
            testDescription: "a reboot before a wrong clock was put right: what it showed is kept", wallOff: 0,
            events: [.passes(10_000), .reboots(wallOff: -hour), .passes(10_000), .steps(hour)]),
    ]

    /// Lives a life, every tick with its number; the true times of the ticks, and the buffer.
    private func live(_ life: Life, sealing: Bool) throws -> (truth: [Int64], buffer: Buffer) {
        var wallOff = life.wallOff
        time.step(wall: wallOff)
        var bootId: Int64 = 1
        var buffer = try fixture.open(bootId: bootId)
        var truth: [Int64] = []
        func tick() throws {
            try buffer.append(fixture.tick(Double(truth.count)))
            truth.append(time.wall - wallOff)
            if sealing { try buffer.seal(goingOut: false) }
        }
        try tick()
        for event in life.events {
            switch event {
            case .passes(let milliseconds): time.advance(milliseconds)
            case .steps(let milliseconds):
                time.step(wall: milliseconds)
                wallOff += milliseconds
            case .reboots(let off):
                bootId += 1
                time.reboot()
                time.step(wall: off - wallOff)
                wallOff = off
                // The one before is closed first: one process a file.
                buffer = try Buffer(path: fixture.directory + "/between-\(bootId)", device: fixture.device, clock: time.clock)
                buffer = try fixture.open(bootId: bootId)
            }
            try tick()
        }
        return (truth, buffer)
    }

    @Test(arguments: lives) func `unsealed ticks come out at the times at which they were taken, as far as anybody can know`(life: Life) throws {
        let (truth, buffer) = try live(life, sealing: false)
        let now = time.wall
        try buffer.seal(goingOut: true)
        #expect(buffer.unplaceableTicks == life.unplaceable.count)
        for tick in try fixture.ticks(in: buffer) {
            let number = Int(tick.readings[0].value)
            #expect(!life.unplaceable.contains(number))
            #expect(abs(tick.at - truth[number]) < 2_000)
        }
        #expect(try fixture.ticks(in: buffer).count == truth.count - life.unplaceable.count)
        // Nothing with a wrong year leaves the device: neither ticks nor what is told of them.
        for batch in try fixture.batches(in: buffer) { #expect(batch.sealedAt >= Clock.plausibleWallMin && batch.sealedAt <= now) }
        let receipts = try fixture.receipts("dropped", "pending", in: buffer)
        #expect(fixture.sum("ticks", receipts) == life.unplaceable.count)
        for receipt in receipts { #expect(receipt["from"] == nil && receipt["to"] == nil) }
    }

    @Test(arguments: [
        (off: -hour, age: hour / 60, isMoved: true), (off: hour, age: hour / 60, isMoved: true), (off: -1_500, age: hour / 60, isMoved: false),
        // After a week without a correction a clock may have strayed by minutes, the older ticks by less.
        (off: Int64(12_000), age: 7 * 24 * hour, isMoved: false), (off: -hour, age: 7 * 24 * hour, isMoved: true),
    ]) func `sealed batches that were not sent are moved by a step of the clock, but not by drift`(off: Int64, age: Int64, isMoved: Bool) throws {
        time.step(wall: off)
        let buffer = try fixture.open()
        try buffer.append(fixture.tick())
        let shown = time.wall
        try buffer.seal(goingOut: false)
        time.advance(age)
        time.step(wall: -off)
        #expect(try fixture.ticks(in: buffer).map(\.at) == [isMoved ? shown - off : shown])
        #expect(try fixture.batches(in: buffer)[0].sealedAt == (isMoved ? shown - off : shown))
    }

    @Test func `batches of an earlier boot stay as they were sealed`() throws {
        do {
            let buffer = try fixture.open(bootId: 1)
            try buffer.append(fixture.tick())
            try buffer.seal(goingOut: false)
        }
        let shown = time.wall
        time.reboot()
        let buffer = try fixture.open(bootId: 2)
        time.step(wall: Self.hour)
        #expect(try fixture.ticks(in: buffer).map(\.at) == [shown])
    }

    @Test func `nothing is sealed before the clock is set: neither ticks, nor documents, nor what is owed`() throws {
        time.step(wall: Self.unset)
        try Data(repeating: 0x55, count: 10_000).write(to: URL(filePath: fixture.path))
        let buffer = try fixture.open()
        #expect(buffer.damage != nil)
        try buffer.append(fixture.tick())
        #expect(try buffer.seal(goingOut: true) == nil)
        #expect(performing: { try buffer.append(.event, json: "{}", goingOut: true) }, throws: { ($0 as? BufferError)?.reason == .clockNotSet })
        #expect(try buffer.status().batches == 0)
        time.step(wall: -Self.unset)
        try buffer.seal(goingOut: true)
        let event = try #require(try fixture.events("damaged_buffer", in: buffer).first)
        #expect(event["at"] as? String == Timestamp.text(time.wall))
    }

    @Test func `ticks whose time nobody can know are told of once, also when a seal fails half way`() throws {
        var generator = Seeded(state: 9)
        func append(_ count: Int, to buffer: Buffer) throws {
            for _ in 0..<count {
                let readings = (0..<50).map { Reading(Series("s\($0)"), Double(UInt64.random(in: 0...(.max), using: &generator)) * 1e-19) }
                try buffer.append(Tick(at: fixture.time.wall, readings: readings))
                fixture.time.advance(1_000)
            }
        }
        let wall = fixture.time.wall
        do { try append(200, to: try fixture.open(bootId: 1)) }
        // A boot that never learnt the time.
        fixture.time.reboot()
        fixture.time.step(wall: 5_000 - fixture.time.wall)
        do { try append(7, to: try fixture.open(bootId: 2)) }
        fixture.time.reboot()
        fixture.time.step(wall: wall + 86_400_000 - fixture.time.wall)
        let buffer = try fixture.open(bootId: 3)
        try append(200, to: buffer)
        try fixture.alter("CREATE TRIGGER refusal BEFORE INSERT ON batches WHEN NEW.sequence > 1 BEGIN SELECT RAISE(ABORT, 'refused'); END")
        #expect(performing: { try buffer.seal(goingOut: false) }, throws: { $0 is BufferError })
        #expect(buffer.newestSequence == 1)
        try fixture.alter("DROP TRIGGER refusal")
        try buffer.seal(goingOut: true)
        #expect(buffer.unplaceableTicks == 7)
        #expect(fixture.sum("ticks", try fixture.receipts("dropped", "pending", in: buffer)) == 7)
        #expect(try fixture.ticks(in: buffer).count == 400)
    }
}
