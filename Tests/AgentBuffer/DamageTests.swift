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

    @Test func `of the files set aside the newest three are kept`() throws {
        for _ in 0..<6 {
            try Data(repeating: 0x55, count: 10_000).write(to: URL(filePath: fixture.path))
            try Data(repeating: 0x55, count: 10).write(to: URL(filePath: fixture.path + ".damaged-7-wal"))
            #expect(try fixture.open().damage?.kept == fixture.path + ".damaged-" + String(fixture.time.wall))
            fixture.time.advance(660_000)
        }
        let kept = try FileManager.default.contentsOfDirectory(atPath: fixture.directory)
            .filter { $0.contains(".damaged-") && !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm") }
        #expect(Set(kept) == Set((1...3).map { "b.sqlite.damaged-" + String(fixture.time.wall - $0 * 660_000) }))
        // Of a clock that was set back, the one just set aside is kept all the same.
        fixture.time.step(wall: -fixture.time.wall + 5_000)
        try Data(repeating: 0x55, count: 10_000).write(to: URL(filePath: fixture.path))
        let aside = try #require(try fixture.open().damage?.kept)
        #expect(aside.hasSuffix(".damaged-5000") && FileManager.default.fileExists(atPath: aside))
    }
}
