import AgentBuffer
import Foundation
import LinuxDriver
import Telemetry
import Testing

/// Ticks that found no room are told of once, whoever is killed when.
struct UnwrittenTicksTests {
    private let fixture = try! BufferFixture()

    private func lose(_ count: Int, in buffer: Buffer) {
        for number in 0..<count {
            buffer.lose(Tick(at: fixture.time.wall + Int64(number), readings: [Reading(Series("a"), 1), Reading(Series("b"), 2)]))
        }
    }

    /// The receipts for unwritten ticks that are sealed in the buffer.
    private func told(_ buffer: Buffer) throws -> [[String: Any]] {
        _ = try buffer.seal(goingOut: true)
        return try fixture.receipts("dropped", "unwritten", in: buffer)
    }

    @Test func `they are told of when there is room, and outlive what is given up`() throws {
        var limits = BufferLimits()
        limits.bytesMax = BufferLimits.bytesMaxLeast
        let buffer = try fixture.open(limits)
        lose(3, in: buffer)
        #expect(buffer.unwrittenTicks == 3 && buffer.hasUntold)
        #expect(try buffer.tellUnwritten())
        #expect(try !buffer.tellUnwritten())
        let text = String(repeating: "x", count: 60_000)
        while buffer.evictedBatches < 20 { try buffer.append(.event, json: "{\"type\":\"\(text)\"}", goingOut: true) }
        let receipts = try told(buffer)
        #expect(receipts.count == 1)
        #expect(receipts.first?["ticks"] as? Int == 3 && receipts.first?["samples"] as? Int == 6)
        #expect(receipts.first?["from"] as? String == Timestamp.text(fixture.time.wall))
    }

    @Test func `those of a process that was killed are told of by the next one`() throws {
        lose(4, in: try fixture.open())
        lose(1, in: try fixture.open())
        let buffer = try fixture.open()
        #expect(buffer.unwrittenTicks == 0 && buffer.hasUntold)
        #expect(try buffer.tellUnwritten())
        #expect(try told(buffer).map { $0["ticks"] as? Int } == [5])
    }

    @Test func `a note that was left behind by a process that was killed after telling is not told twice`() throws {
        let lock = URL(fileURLWithPath: fixture.path + ".lock")
        var note = Data()
        do {
            let buffer = try fixture.open()
            lose(2, in: buffer)
            note = try Data(contentsOf: lock)
            try buffer.tellUnwritten()
            // As if it had been killed before it could take the note away. The mark at the start is of now.
            let now = try Data(contentsOf: lock)
            let handle = try FileHandle(forWritingTo: lock)
            try handle.seek(toOffset: 64)
            try handle.write(contentsOf: note[64...])
            #expect(now != note)
        }
        let buffer = try fixture.open()
        #expect(!buffer.hasUntold)
        lose(7, in: buffer)
        try buffer.tellUnwritten()
        #expect(try told(buffer).map { $0["ticks"] as? Int }.reduce(0) { $0 + ($1 ?? 0) } == 9)
    }

    @Test func `a note that is not whole is none`() throws {
        lose(2, in: try fixture.open())
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: fixture.path + ".lock"))
        try handle.seek(toOffset: 80)
        try handle.write(contentsOf: Data([0xFF]))
        #expect(try !fixture.open().hasUntold)
    }

    @Test func `those of a buffer that is set aside are told of by the one after it`() throws {
        do {
            let buffer = try fixture.open()
            try buffer.append(Tick(at: fixture.time.wall, readings: [Reading(Series("a"), 1)]))
            lose(2, in: buffer)
            #expect(buffer.condemn())
        }
        let buffer = try fixture.open()
        #expect(buffer.damage != nil)
        try buffer.tellUnwritten()
        #expect(try told(buffer).map { $0["ticks"] as? Int } == [2])
    }
}
