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

    /// A buffer whose last transaction is a seal, with the frame that ends it torn, and the mark in the lock as it was before or after it.
    private func tearSeal(isMarked: Bool) throws {
        var buffer: Buffer? = try fixture.open()
        for number in 0..<10 {
            try buffer?.append(fixture.tick(Double(number)))
            if number == 4 { try buffer?.seal(goingOut: true) }
        }
        let lock = URL(filePath: fixture.path + ".lock")
        let before = try Data(contentsOf: lock)
        try buffer?.seal(goingOut: true)
        try afterKill(buffer.take()) { log in
            let commits = stride(from: 32, to: log.count - 2_071, by: 2_072).filter { log[$0 + 4..<$0 + 8] != Data(count: 4) }
            log.replaceSubrange(commits.last! + 24..<commits.last! + 24 + 2_048, with: Data(count: 2_048))
        }
        if !isMarked {
            let handle = try FileHandle(forUpdating: lock)
            try handle.write(contentsOf: before)
            try handle.close()
        }
    }

    @Test func `a kill between the two writes of the frame that ends a seal takes back the seal, and loses nothing`() throws {
        try tearSeal(isMarked: false)
        let buffer = try fixture.open()
        #expect(buffer.damage?.salvagedTicks == 5)
        try buffer.seal(goingOut: true)
        #expect(try fixture.ticks(in: buffer).map { $0.readings[0].value } == (0..<10).map(Double.init))
        #expect(try fixture.events("eviction_receipt", in: buffer).isEmpty)
    }

    @Test func `a seal that was marked and is damaged since may have been sent: its ticks do not wait again, and are told of`() throws {
        try tearSeal(isMarked: true)
        let buffer = try fixture.open()
        #expect(buffer.damage?.salvagedTicks == 0)
        try buffer.seal(goingOut: true)
        let found = try fixture.ticks(in: buffer).map { $0.readings[0].value }
        #expect(Set(found).count == found.count)
        let receipts = try fixture.receipts("dropped", "damage", in: buffer)
        #expect(found.count == 10 || !receipts.isEmpty)
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
