import AgentBuffer
import Foundation
import LinuxDriver
import SQLiteDriver
import Telemetry
import Testing

/// What a killed process leaves in its log is told from damage.
struct JournalCheckTests {
    private let fixture: BufferFixture

    init() throws { fixture = try BufferFixture() }

    /// The files as a kill leaves them now, put in the place of the buffer's after `work`, with the log changed by it.
    private func afterKill(_ buffer: consuming Buffer?, _ change: (inout Data) -> Void = { _ in }) throws {
        var files: [String: Data] = [:]
        for suffix in ["", "-wal"] { files[suffix] = try Data(contentsOf: URL(filePath: fixture.path + suffix)) }
        buffer = nil
        change(&files["-wal"]!)
        for (suffix, bytes) in files { try bytes.write(to: URL(filePath: fixture.path + suffix)) }
        try? FileManager.default.removeItem(atPath: fixture.path + "-shm")
    }

    /// A log with a few ticks and, behind them, what is left of a transaction that was rolled back.
    private func makeBuffer() throws -> Buffer {
        let buffer = try fixture.open()
        for number in 0..<10 { try buffer.append(fixture.tick(Double(number))) }
        try fixture.alter(
            """
            PRAGMA cache_size = 1; BEGIN; CREATE TABLE spilled(bytes BLOB);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) INSERT INTO spilled SELECT randomblob(1500) FROM n;
            ROLLBACK
            """)
        let before = try Data(contentsOf: URL(filePath: fixture.path + "-wal")).count
        #expect(before > 60 * 1_024)
        try buffer.append(fixture.tick(10))
        #expect(try Data(contentsOf: URL(filePath: fixture.path + "-wal")).count == before)
        return buffer
    }

    @Test func `what a transaction that was rolled back left behind the log's end is no damage`() throws {
        try afterKill(try makeBuffer())
        let buffer = try fixture.open()
        #expect(buffer.damage == nil && buffer.unsealedTicks == 11)
    }

    @Test func `a damaged frame before the end is damage, and so is one that commits at the end`() throws {
        for frame in [3, 10] {
            let fixture = JournalCheckTests.init(try BufferFixture())
            var commits: [Int] = []
            try fixture.afterKill(try fixture.makeBuffer()) { log in
                for offset in stride(from: 32, to: log.count - 2_071, by: 2_072) where log[offset + 4..<offset + 8] != Data(count: 4) {
                    commits.append(offset)
                }
                log[(frame == 3 ? commits[3] : commits.last!) + 1_000] ^= 1
            }
            #expect(try fixture.fixture.open().damage != nil)
        }
    }

    private init(_ fixture: BufferFixture) { self.fixture = fixture }

    @Test func `what a power cut tore is not taken for damage by a later start`() throws {
        try afterKill(try makeBuffer()) { log in
            // The last frame that commits never reached the disk as a whole.
            let commits = stride(from: 32, to: log.count - 2_071, by: 2_072).filter { log[$0 + 4..<$0 + 8] != Data(count: 4) }
            log[commits[commits.count - 1] + 1_000] ^= 1
        }
        try afterKill(try fixture.open(bootId: 2).withTick(fixture.tick(11)))
        let buffer = try fixture.open(bootId: 2)
        #expect(buffer.damage == nil && buffer.unsealedTicks == 11)
    }
}

extension Buffer {
    fileprivate func withTick(_ tick: Tick) throws -> Buffer {
        try append(tick)
        return self
    }
}
