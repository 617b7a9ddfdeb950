import AgentBuffer
import Foundation
import LinuxDriver
import SQLiteDriver
import Telemetry
import Testing

/// A buffer whose file, or a part of it, is gone when it is opened: only the mark in the lock knows that there was something.
struct LostFileTests {
    private let fixture: BufferFixture

    init() throws { fixture = try BufferFixture() }

    /// The file and its log as a kill leaves them, after so many batches, of which the first `inFile` are in the file itself, and one unsealed tick.
    @discardableResult
    private func makeBuffer(batches: Int = 30, inFile: Int = 0) throws -> StreamId {
        let stream: StreamId
        do {
            let buffer = try fixture.open()
            stream = buffer.stream
            for number in 0..<batches {
                if number == inFile { try fixture.alter("PRAGMA wal_checkpoint(TRUNCATE)") }
                try append(number, to: buffer)
                try buffer.seal(goingOut: false)
            }
            try append(batches, to: buffer)
            for suffix in ["", "-wal"] { try FileManager.default.copyItem(atPath: fixture.path + suffix, toPath: fixture.path + ".kept" + suffix) }
        }
        for suffix in ["", "-wal"] {
            try? FileManager.default.removeItem(atPath: fixture.path + suffix)
            try FileManager.default.moveItem(atPath: fixture.path + ".kept" + suffix, toPath: fixture.path + suffix)
        }
        return stream
    }

    private func append(_ number: Int, to buffer: Buffer) throws {
        try buffer.append(fixture.tick(Double(number)))
        fixture.time.advance(10_000)
    }

    private func empty(_ suffix: String) throws { try Data().write(to: URL(filePath: fixture.path + suffix)) }
    private func remove(_ suffix: String) throws { try FileManager.default.removeItem(atPath: fixture.path + suffix) }

    /// What the receipts that speak of an old stream's sequences name.
    private func named(_ stream: StreamId, in buffer: Buffer) throws -> [[Int]] {
        let receipts = try fixture.batches(in: buffer).filter { $0.kind == .event && $0.origin?.stream == stream }
            .compactMap { try JSONSerialization.jsonObject(with: Data($0.payload)) as? [String: Any] }
        #expect(receipts.allSatisfy { $0["action"] as? String == "dropped" && $0["cause"] as? String == "damage" })
        return receipts.flatMap { $0["sequences"] as? [[Int]] ?? [] }
    }

    @Test(arguments: [true, false]) func `a file that is gone or empty is made up for from its log`(isEmptied: Bool) throws {
        let stream = try makeBuffer()
        if isEmptied { try empty("") } else { try remove("") }
        let buffer = try fixture.open()
        let damage = try #require(buffer.damage)
        #expect(damage.stream == stream && damage.salvagedBatches == 30 && damage.salvagedTicks == 1)
        #expect(FileManager.default.fileExists(atPath: damage.kept + "-wal"))
        try buffer.seal(goingOut: true)
        #expect(try fixture.ticks(in: buffer).compactMap { $0.readings.first?.value }.sorted() == (0...30).map(Double.init))
        #expect(try named(stream, in: buffer).isEmpty)
    }

    @Test func `a log beside a file that is gone is no log of a new one, whatever the lock says`() throws {
        try makeBuffer()
        try remove("")
        try remove(".lock")
        #expect(try fixture.open().damage?.salvagedBatches == 30)
    }

    @Test(arguments: [true, false]) func `when nothing is left but the mark, an event and a receipt tell`(isEmptied: Bool) throws {
        let stream = try makeBuffer()
        for suffix in ["", "-wal"] { if isEmptied { try empty(suffix) } else { try remove(suffix) } }
        let buffer = try fixture.open()
        #expect(buffer.damage?.stream == stream && buffer.damage?.newestSequence == 30)
        try buffer.seal(goingOut: true)
        #expect(try named(stream, in: buffer) == [[1, 30]])
        #expect(try fixture.events("damaged_buffer", in: buffer).count == 1)
    }

    @Test func `a file that was put in the place of another is taken over, and the one that is gone is told of`() throws {
        try makeBuffer(batches: 3)
        let other = try BufferFixture()
        do {
            let buffer = try other.open()
            for number in 0..<5 {
                try buffer.append(other.tick(Double(number)))
                try buffer.seal(goingOut: false)
            }
        }
        try remove("-wal")
        try remove("")
        try FileManager.default.copyItem(atPath: other.path, toPath: fixture.path)
        let buffer = try fixture.open()
        #expect(buffer.damage?.salvagedBatches == 5)
        try buffer.seal(goingOut: true)
        #expect(try fixture.receipts("dropped", "damage", in: buffer).count == 1)
    }

    @Test func `batches that the mark knows and the file does not are named, and none that is here`() throws {
        let stream = try makeBuffer(inFile: 17)
        try remove("-wal")
        let lostFrom = fixture.time.wall - 14 * 10_000
        let buffer = try fixture.open()
        #expect(buffer.damage?.salvagedBatches == 17)
        try buffer.seal(goingOut: true)
        #expect(try named(stream, in: buffer) == [[18, 30]])
        let receipt = try #require(try fixture.receipts("dropped", "damage", in: buffer).first { ($0["sequences"] as? [[Int]])?.isEmpty == false })
        // From the newest tick that was read.
        let from = try #require((receipt["from"] as? String).flatMap(Timestamp.parse))
        #expect(from <= lostFrom && from >= lostFrom - 10_000)
        #expect((receipt["to"] as? String).flatMap(Timestamp.parse) == fixture.time.wall)
    }

    @Test func `of batches lost in the midst of a file the sequences are named, and none that may still come`() throws {
        let stream = try makeBuffer(batches: 300, inFile: 299)
        var bytes = try Data(contentsOf: URL(filePath: fixture.path))
        // A page in the midst of the batches, and the header, without which nothing opens.
        let page = bytes.count / 2_048 / 2 * 2_048
        for start in [0, page] { bytes.replaceSubrange(start..<start + 2_048, with: Data(count: 2_048)) }
        try bytes.write(to: URL(filePath: fixture.path))
        let buffer = try fixture.open()
        try buffer.seal(goingOut: true)
        let origins = Set(
            try fixture.batches(in: buffer).filter { $0.kind == .samples }.compactMap { $0.origin.map { Int($0.sequence) } })
        let lost = Set(try named(stream, in: buffer).flatMap { Array($0[0]...$0[1]) })
        #expect(!lost.isEmpty && origins.union(lost) == Set(1...300) && origins.isDisjoint(with: lost))
    }

    @Test(arguments: [true, false]) func `a file that is taken away while it is in use is missed at the next seal`(isReplaced: Bool) throws {
        let buffer = try fixture.open()
        try append(1, to: buffer)
        try buffer.seal(goingOut: false)
        try remove("")
        if isReplaced { try empty("") }
        try append(2, to: buffer)
        #expect(performing: { try buffer.seal(goingOut: false) }, throws: { ($0 as? BufferError)?.reason == .damaged })
    }
}
