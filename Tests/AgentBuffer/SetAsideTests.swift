import AgentBuffer
import Foundation
import LinuxDriver
import SQLiteDriver
import Telemetry
import Testing

/// A damaged buffer is set aside in steps, and a process may be killed after any of them.
struct SetAsideTests {
    private let fixture: BufferFixture
    private var kept: String { fixture.path + ".damaged-7" }

    init() throws { fixture = try BufferFixture() }

    /// A damaged file with three batches and two unsealed ticks.
    private func makeDamaged() throws {
        do {
            let buffer = try fixture.open()
            for number in 0..<5 {
                try buffer.append(fixture.tick(Double(number)))
                if number < 3 { try buffer.seal(goingOut: true) }
            }
        }
        var bytes = try Data(contentsOf: URL(filePath: fixture.path))
        bytes.replaceSubrange(0..<2_048, with: Data(count: 2_048))
        try bytes.write(to: URL(filePath: fixture.path))
        // It has none when it was closed.
        try Data("log".utf8).write(to: URL(filePath: fixture.path + "-wal"))
    }

    private func placeUntouchedBuffer() throws {
        let other = try BufferFixture()
        do { _ = try other.open() }
        try FileManager.default.copyItem(atPath: other.path, toPath: fixture.path)
    }

    /// What is in the buffer when all is sealed, with the ticks' values in order.
    private func values(_ buffer: Buffer) throws -> [Double] {
        try buffer.seal(goingOut: true)
        return try fixture.ticks(in: buffer).map { $0.readings[0].value }.sorted()
    }

    @Test(arguments: 0...5) func `a kill after any step loses nothing and doubles nothing`(steps: Int) throws {
        try makeDamaged()
        let aside = SettingAside(kept: kept, reason: "test")
        if steps >= 1 { #expect(aside.note(fixture.path)) }
        if steps >= 2 { _ = aside.move(fixture.path, steps: 1) }
        if steps >= 3 { #expect(aside.move(fixture.path)) }
        if steps >= 4 { try placeUntouchedBuffer() }
        if steps >= 5 {
            // The new buffer knows of it, has salvaged, and the note is still there.
            do { _ = try fixture.open() }
            #expect(aside.note(fixture.path))
        }
        let buffer = try fixture.open()
        #expect(try values(buffer) == [0, 1, 2, 3, 4])
        let events = try fixture.events("damaged_buffer", in: buffer)
        #expect(events.count == 1)
        if steps > 0 { #expect(events.first?["kept"] as? String == kept) }
        #expect(events.first?["salvaged_batches"] as? Int == 3 && events.first?["salvaged_ticks"] as? Int == 2)
        #expect(!FileManager.default.fileExists(atPath: fixture.path + ".aside"))
        let names = try FileManager.default.contentsOfDirectory(atPath: fixture.directory)
        #expect(names.filter { $0.contains(".damaged-") && !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm") }.count == 1)
    }

    @Test func `a note that is not whole is of a file that was not touched yet`() throws {
        do { try fixture.open().append(fixture.tick(8)) }
        try Data(repeating: 1, count: 30).write(to: URL(filePath: fixture.path + ".aside"))
        let buffer = try fixture.open()
        #expect(buffer.damage == nil)
        #expect(try values(buffer) == [8])
        #expect(!FileManager.default.fileExists(atPath: fixture.path + ".aside"))
    }

    @Test func `a file that is damaged while it takes over another one hands that on, and both are told of`() throws {
        let text = String(repeating: "x", count: 60_000)
        let count = 60
        let first: StreamId
        do {
            let buffer = try fixture.open()
            first = buffer.stream
            for _ in 0..<count { try buffer.append(.event, json: "{\"type\":\"\(text)\"}", goingOut: false) }
            for number in 0..<5 { try buffer.append(fixture.tick(Double(number))) }
        }
        let aside = SettingAside(kept: kept, reason: "first")
        #expect(aside.note(fixture.path))
        #expect(aside.move(fixture.path))
        try placeUntouchedBuffer()
        do {
            // Another process reads the new one, whose log can grow no further: the salvage ends for now.
            let reading = try SQLiteReading(fixture.path)
            defer { reading.end() }
            let buffer = try fixture.open()
            #expect(try (1..<Int64(count)).contains(buffer.status().batches))
            #expect(buffer.unsealedTicks == 0)
            #expect(buffer.condemn())
        }
        let buffer = try fixture.open()
        #expect(try values(buffer) == [0, 1, 2, 3, 4])
        let origins = try fixture.batches(in: buffer).compactMap(\.origin).filter { $0.stream == first }.map(\.sequence)
        #expect(origins.sorted() == Array(1...UInt64(count)))
        let events = try fixture.events("damaged_buffer", in: buffer)
        #expect(Set(events.compactMap { $0["kept"] as? String }) == [kept, try #require(buffer.damage).kept])
        #expect(fixture.sum("salvaged_ticks", events) == 5)
    }

    @Test func `an older file that is gone before all of it was taken over is told of`() throws {
        try makeDamaged()
        let aside = SettingAside(kept: kept, reason: "test")
        #expect(aside.note(fixture.path))
        #expect(aside.move(fixture.path))
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: kept + suffix) }
        try Data().write(to: URL(filePath: fixture.path))
        let buffer = try fixture.open()
        #expect(try values(buffer) == [])
        #expect(try fixture.events("damaged_buffer", in: buffer).count == 1)
        #expect(try fixture.receipts("dropped", "damage", in: buffer).count == 1)
    }

    @Test func `a new file that proves damaged while it takes over an older one is set aside too`() throws {
        do {
            let buffer = try fixture.open()
            for number in 0..<5 {
                try buffer.append(fixture.tick(Double(number)))
                if number < 3 { try buffer.seal(goingOut: true) }
            }
            try buffer.append(.event, json: "{\"type\":\"note\"}", goingOut: true)
        }
        let aside = SettingAside(kept: kept, reason: "first")
        #expect(aside.note(fixture.path))
        #expect(aside.move(fixture.path))
        try placeUntouchedBuffer()
        // The index of events: nobody looks at it before the first is written.
        let root = try #require(try Database(path: fixture.path).integer("SELECT rootpage FROM sqlite_master WHERE name = 'urgent_batches'"))
        let file = try FileHandle(forWritingTo: URL(filePath: fixture.path))
        try file.seek(toOffset: UInt64(root - 1) * 2_048)
        try file.write(contentsOf: Data(count: 2_048))
        try file.close()

        let buffer = try fixture.open()
        #expect(buffer.memoryReason == nil)
        #expect(try values(buffer) == [0, 1, 2, 3, 4])
        #expect(try fixture.events("note", in: buffer).count == 1)
        let events = try fixture.events("damaged_buffer", in: buffer)
        #expect(Set(events.compactMap { $0["kept"] as? String }) == [kept, try #require(buffer.damage).kept])
    }
}
