import AgentBuffer
import Foundation
import LinuxDriver
import SQLiteDriver
import Telemetry
import Testing

final class BufferTests {
    private let directory: String
    private let time = FakeClock()
    private let device = DeviceId("edge-1")!

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "buffer-\(UUID().uuidString)").path
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    private func open(_ limits: BufferLimits = BufferLimits(), name: String = "b.sqlite") throws -> Buffer {
        try Buffer(path: directory + "/" + name, device: device, limits: limits, clock: time.clock)
    }

    private func tick(_ value: Double = 1) -> Tick { Tick(at: time.wall, readings: [Reading(Series("m"), value), Reading(Series("n"), 2)]) }

    private func ticks(of bytes: [UInt8]) throws -> [Tick] { try Block(decoding: try Batch(decoding: bytes).payload).ticks() }

    @Test func `sealed ticks come out as a batch with the next sequence`() throws {
        let buffer = try open()
        try buffer.append(tick(1))
        time.advance(1_000)
        try buffer.append(tick(2))
        #expect(try buffer.seal(goingOut: false) == 1)
        #expect(try buffer.seal(goingOut: false) == nil)
        let bytes = try #require(try buffer.batch(1))
        #expect(try ticks(of: bytes).map { $0.readings[0].value } == [1, 2])
        #expect(try Batch(decoding: bytes).stream == buffer.stream)
    }

    @Test func `ticks and batches survive a run that just ends`() throws {
        do {
            let buffer = try open()
            try buffer.append(tick(1))
            try buffer.seal(goingOut: false)
            try buffer.append(tick(2))
        }
        let buffer = try open()
        #expect(buffer.newestSequence == 1)
        #expect(buffer.unsealedTicks == 1)
        #expect(try buffer.seal(goingOut: false) == 2)
        #expect(try ticks(of: try #require(try buffer.batch(2)))[0].readings.map(\.value) == [2, 2])
    }

    @Test func `a seal is due at a number of ticks or at an age`() throws {
        var limits = BufferLimits()
        limits.sealTicksMax = 2
        let buffer = try open(limits)
        #expect(!buffer.isSealDue)
        try buffer.append(tick())
        #expect(!buffer.isSealDue)
        time.advance(limits.sealAgeMax)
        #expect(buffer.isSealDue)
        try buffer.seal(goingOut: false)
        try buffer.append(tick())
        try buffer.append(tick())
        #expect(buffer.isSealDue)
    }

    @Test func `acknowledged batches are forgotten, those of another stream are not`() throws {
        let buffer = try open()
        for _ in 0..<5 { try buffer.append(.event, json: "{}", goingOut: false) }
        #expect(try buffer.forget(.init(first: 1, count: 5), of: buffer.stream &+ 1) == 0)
        #expect(try buffer.status().batches == 5)
        #expect(try buffer.forget(.init(first: 2, count: 3), of: buffer.stream) == 3)
        #expect(try buffer.forget(.init(first: 2, count: 3), of: buffer.stream) == 0, "forgotten before")
        #expect(try buffer.forget(.init(first: 6, count: 1 << 20), of: buffer.stream) == 0, "never there")
        #expect(try buffer.newestBatch(below: 5)?.sequence == 1)
        #expect(try buffer.newestBatch(below: 100)?.sequence == 5)
        #expect(try buffer.batch(3) == nil)
    }

    @Test func `a second process is told that the buffer is in use`() throws {
        let buffer = try open()
        #expect(performing: { try open() }, throws: { ($0 as? BufferError)?.reason == .inUse })
        _ = buffer.path
    }

    @Test func `ticks of an unset clock wait, and are put right when it is set`() throws {
        time.step(wall: -time.wall + 5_000)
        let buffer = try open()
        try buffer.append(tick())
        time.advance(3_600_000)
        #expect(!buffer.isSealDue)
        #expect(try buffer.seal(goingOut: false) == nil)
        time.step(wall: 1_800_000_000_000)
        let now = time.wall
        #expect(buffer.isSealDue)
        #expect(try buffer.seal(goingOut: false) == 1)
        #expect(try ticks(of: try #require(try buffer.batch(1)))[0].at == now - 3_600_000)
    }

    @Test func `ticks too large for one batch become several`() throws {
        var limits = BufferLimits()
        limits.sealSamplesMax = 100_000
        let buffer = try open(limits)
        var random = Seeded(state: 2)
        for _ in 0..<4 {
            let readings = (0..<4_000).map { Reading(Series("s\($0)"), Double(bitPattern: UInt64.random(in: 0...(.max / 3), using: &random))) }
            try buffer.append(Tick(at: time.wall, readings: readings))
        }
        let newest = try #require(try buffer.seal(goingOut: false))
        #expect(newest > 1)
        var samples = 0
        for sequence in 1...newest {
            samples += try Block(decoding: try Batch(decoding: try #require(try buffer.batch(sequence))).payload).sampleCount
        }
        #expect(samples == 16_000)
    }

    @Test func `a file that is no database is kept aside and a new stream begun`() throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try Data(repeating: 0x55, count: 10_000).write(to: URL(filePath: directory + "/b.sqlite"))
        let buffer = try open()
        let aside = try #require(buffer.damage?.kept)
        #expect(FileManager.default.fileExists(atPath: aside))
        try buffer.append(tick())
        // The event of the damage comes with it.
        #expect(try buffer.seal(goingOut: false) == 2)
    }

    @Test func `a batch damaged in the file is dropped, with a receipt`() throws {
        do {
            let buffer = try open()
            try buffer.append(.event, json: "{\"a\":1}", goingOut: false)
            try buffer.append(.event, json: "{\"a\":2}", goingOut: false)
        }
        let database = try Database(path: directory + "/b.sqlite")
        try database.execute("UPDATE batches SET bytes = x'4657010003' WHERE sequence = 1")
        let buffer = try open()
        #expect(try buffer.batch(1) == nil)
        #expect(buffer.damagedBatches == 1)
        #expect(try buffer.seal(goingOut: true) == 3)
        let receipt = String(decoding: try Batch(decoding: try #require(try buffer.batch(3))).payload, as: UTF8.self)
        #expect(receipt.contains("\"cause\":\"damage\"") && receipt.contains("\"sequences\":[[1,1]]"))
    }

    @Test func `a condemned file is put aside when it is opened next, and only then`() throws {
        let stream: StreamId
        do {
            let buffer = try open()
            stream = buffer.stream
            try buffer.append(.event, json: "{}", goingOut: false)
            #expect(buffer.condemn())
        }
        do {
            let buffer = try open()
            #expect(buffer.stream != stream)
            #expect(buffer.damage?.kept != nil)
            // What was in it is here again, as a batch of the new stream.
            #expect(try Batch(decoding: try #require(try buffer.batch(1))).origin == Batch.Origin(stream: stream, sequence: 1))
        }
        #expect(try open().damage?.kept == nil)
    }

    @Test func `batches of an earlier device id go out under the present one, otherwise unchanged`() throws {
        let sealed: Batch
        do {
            let buffer = try open()
            try buffer.append(tick(7))
            try buffer.seal(goingOut: false)
            sealed = try Batch(decoding: try #require(try buffer.batch(1)))
        }
        let renamed = try Buffer(path: directory + "/b.sqlite", device: try #require(DeviceId("edge-2")), clock: time.clock)
        var batch = try Batch(decoding: try #require(try renamed.newestBatch(below: 10)).bytes)
        #expect(batch.device.text == "edge-2")
        batch.device = device
        #expect(batch == sealed)
    }

    @Test func `an impossible schema version is damage, not a newer version`() throws {
        do { _ = try open() }
        do {
            let database = try Database(path: directory + "/b.sqlite")
            try database.execute("PRAGMA user_version = 1515870810")
        }
        #expect(try open().damage?.kept != nil)
    }

    @Test func `a series that no block can carry is left out and harms nothing`() throws {
        let buffer = try open()
        let odd = [Reading(Series("m", [Label("l", "a\u{0}b")]), 1), Reading(Series("m", [Label("l", "a"), Label("b", "")]), 2)]
        for _ in 0..<3 { try buffer.append(Tick(at: time.wall, readings: odd + [Reading(Series("n"), 3)])) }
        try buffer.seal(goingOut: false)
        let series = Set(try ticks(of: try #require(try buffer.batch(1))).flatMap { $0.readings.map { $0.series.metric } })
        #expect(series == ["m", "n"])
    }

    @Test func `a file of a newer version is refused and left alone`() throws {
        do { _ = try open() }
        do {
            let database = try Database(path: directory + "/b.sqlite")
            try database.execute("PRAGMA user_version = 99")
        }
        #expect(performing: { try open() }, throws: { ($0 as? BufferError)?.reason == .newerVersion })
    }

    @Test func `a directory that cannot be made is told as such`() {
        #expect(performing: { try Buffer(path: "/proc/nowhere/b.sqlite", device: device) }, throws: { ($0 as? BufferError)?.reason == .access })
    }
}
