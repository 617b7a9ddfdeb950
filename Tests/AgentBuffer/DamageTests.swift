import AgentBuffer
import Foundation
import LinuxDriver
import SQLiteDriver
import Telemetry
import Testing

struct DamageTests {
    private let fixture: BufferFixture

    init() throws { fixture = try BufferFixture() }

    /// A buffer with batches and unsealed ticks, closed.
    private func makeBuffer() throws {
        let buffer = try fixture.open()
        try buffer.append(.event, json: "{}", goingOut: false)
        for _ in 0..<200 { try buffer.append(fixture.tick(1, (0..<50).map { "s\($0)" })) }
    }

    private func expectNewBeginning() throws {
        let buffer = try fixture.open()
        #expect(FileManager.default.fileExists(atPath: try #require(buffer.damagedFile)))
        #expect(buffer.unsealedTicks == 0)
        try buffer.append(fixture.tick())
        #expect(try buffer.seal(goingOut: false) == 1)
    }

    @Test(arguments: [
        "DELETE FROM meta WHERE key = 'stream'", "UPDATE meta SET value = 0 WHERE key = 'stream'",
        "DELETE FROM meta WHERE key = 'newest'", "UPDATE meta SET value = -1 WHERE key = 'newest'",
        "UPDATE meta SET value = 9223372036854775807 WHERE key = 'newest'", "UPDATE meta SET value = 0 WHERE key = 'newest'",
        "UPDATE batches SET sequence = -5", "DROP TABLE batches", "DROP TABLE series",
    ])
    func `a file without a usable stream, sequence or table is set aside and a new stream begun`(sql: String) throws {
        try makeBuffer()
        try fixture.alter(sql)
        try expectNewBeginning()
    }

    @Test(arguments: ["ticks", "series", "batches", "meta"])
    func `a table whose pages are damaged is found at opening, the file set aside and a new stream begun`(table: String) throws {
        try makeBuffer()
        let root = try #require(try Database(path: fixture.path).integer("SELECT rootpage FROM sqlite_schema WHERE name = '\(table)'"))
        try fixture.alter("PRAGMA wal_checkpoint(TRUNCATE)")
        let file = try FileHandle(forWritingTo: URL(filePath: fixture.path))
        try file.seek(toOffset: UInt64(root - 1) * 4_096)
        try file.write(contentsOf: Data(repeating: 0x55, count: 4_096))
        try file.close()
        try expectNewBeginning()
    }

    @Test func `of the files set aside the newest three are kept`() throws {
        for _ in 0..<6 {
            try Data(repeating: 0x55, count: 10_000).write(to: URL(filePath: fixture.path))
            try Data(repeating: 0x55, count: 10).write(to: URL(filePath: fixture.path + ".damaged-7-wal"))
            #expect(try fixture.open().damagedFile == fixture.path + ".damaged-" + String(fixture.time.wall))
            fixture.time.advance(1_000)
        }
        let kept = try FileManager.default.contentsOfDirectory(atPath: fixture.directory)
            .filter { $0.contains(".damaged-") && !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm") }
        #expect(Set(kept) == Set((1...3).map { "b.sqlite.damaged-" + String(fixture.time.wall - $0 * 1_000) }))
        // Of a clock that was set back, the one just set aside is kept all the same.
        fixture.time.step(wall: -fixture.time.wall + 5_000)
        try Data(repeating: 0x55, count: 10_000).write(to: URL(filePath: fixture.path))
        let aside = try #require(try fixture.open().damagedFile)
        #expect(aside.hasSuffix(".damaged-5000") && FileManager.default.fileExists(atPath: aside))
    }
}
