import AgentBuffer
import Foundation
import LinuxDriver
import Telemetry
import Testing

/// What `farwatch-agent buffer` looks at: a file that an agent has open.
struct BufferReaderTests {
    private let fixture: BufferFixture

    init() throws { fixture = try BufferFixture() }

    private func fill(_ buffer: Buffer) throws {
        for number in 0..<100 {
            try buffer.append(fixture.tick(Double(number)))
            fixture.time.advance(10_000)
            if number % 6 == 5 { try buffer.seal(goingOut: number < 30) }
        }
        try buffer.append(.event, json: "{\"type\":\"e\"}", goingOut: false)
    }

    @Test func `the status of a file in use is what its owner says`() throws {
        let buffer = try fixture.open()
        try fill(buffer)
        let own = try buffer.status()
        let read = try #require(try BufferStatus.read(fixture.path, limits: BufferLimits()))
        #expect(read.stream == own.stream && read.batches == own.batches && read.batches == 17)
        #expect(read.samples == own.samples && read.samples == 96)
        #expect(read.unsealedTicks == 4 && own.unsealedTicks == 4)
        #expect(read.urgentBatches == 1 && read.sentSequences == 5)
        #expect(read.fileBytes == Int64(try fixture.filesBytes()))
    }

    @Test func `days left are told of a backlog of an hour, by the batches' own bytes`() throws {
        let buffer = try fixture.open()
        try fill(buffer)
        #expect(try buffer.status().daysLeft == nil, "seconds say nothing of days")
        fixture.time.advance(7_200_000)
        try buffer.append(fixture.tick())
        try buffer.seal(goingOut: false)
        let status = try buffer.status()
        let room = status.bytesMax - 1_600 * 1_024 - status.usedBytes
        let hours = Double(try #require(status.newestAt) - #require(status.oldestAt)) / 3_600_000
        let expected = Double(room) / (Double(status.batchBytes) / (hours / 24))
        #expect(abs(try #require(status.daysLeft) / expected - 1) < 1e-9)
    }

    @Test func `a whole buffer is verified while it is in use, and a damaged batch is named`() throws {
        let buffer = try fixture.open()
        try fill(buffer)
        let whole = try #require(try BufferVerification(fixture.path))
        #expect(whole.isWhole && whole.batches == 17 && whole.samples == 96)
        try fixture.alter("UPDATE batches SET bytes = CAST(substr(bytes, 1, 40) || x'00' || substr(bytes, 42) AS BLOB) WHERE sequence = 3")
        let damaged = try #require(try BufferVerification(fixture.path))
        #expect(!damaged.isWhole && damaged.problems.contains { $0.contains("batch 3") })
    }

    @Test func `all batches can be read out, of a file in use and of one kept aside`() throws {
        var buffer: Buffer? = try fixture.open()
        try fill(try #require(buffer))
        let contents = try #require(try BufferContents(fixture.path, isAside: false))
        var sequences: [UInt64] = []
        while let (batch, bytes) = try contents.nextBatch() {
            sequences.append(batch.sequence)
            #expect(try Batch(decoding: bytes) == batch)
        }
        #expect(sequences == Array(1...17))
        buffer = nil
        var bytes = try Data(contentsOf: URL(filePath: fixture.path))
        bytes.replaceSubrange(0..<2_048, with: Data(count: 2_048))
        try bytes.write(to: URL(filePath: fixture.path))
        let aside = try #require(try BufferContents(fixture.path, isAside: true))
        var salvaged: Set<UInt64> = []
        while let (batch, _) = try aside.nextBatch() { salvaged.insert(batch.sequence) }
        #expect(salvaged == Set(1...17))
    }

    @Test func `looking at ticks whose tree leads back to where it was ends`() throws {
        do {
            let buffer = try fixture.open()
            for number in 0..<200 { try buffer.append(fixture.tick(Double(number), (0..<50).map { "s\($0)" })) }
        }
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: fixture.path)))
        var changed = 0
        // "A value of 5 (0x05) means the page is an interior table b-tree page": all of its cells and its last pointer lead to one page.
        for page in stride(from: 2_048, to: bytes.count, by: 2_048) where bytes[page] == 5 {
            let cells = Int(bytes[page + 3]) << 8 | Int(bytes[page + 4])
            let places = (0..<cells).map { page + (Int(bytes[page + 12 + 2 * $0]) << 8 | Int(bytes[page + 13 + 2 * $0])) }
            guard let first = places.first else { continue }
            let target = Array(bytes[first..<first + 4])
            for place in places + [page + 8] { bytes.replaceSubrange(place..<place + 4, with: target) }
            changed += 1
        }
        #expect(changed > 0)
        try Data(bytes).write(to: URL(filePath: fixture.path))
        let reader = try #require(try BufferReader(fixture.path))
        #expect(performing: { _ = try reader.tickRows() }, throws: { ($0 as? BufferError)?.reason == .damaged })
    }

    /// The file and its log as a kill leaves them in this boot.
    private func makeKilled() throws -> String {
        let copy = fixture.directory + "/killed"
        let buffer = try fixture.open(bootId: Buffer.currentBootId)
        try fill(buffer)
        for suffix in ["", "-wal", ".lock"] { try FileManager.default.copyItem(atPath: fixture.path + suffix, toPath: copy + suffix) }
        return copy
    }

    private func exported(_ path: String) throws -> (sequences: [UInt64], contents: BufferContents) {
        let contents = try #require(try BufferContents(path, isAside: false))
        var sequences: [UInt64] = []
        while let (batch, _) = try contents.nextBatch() { sequences.append(batch.sequence) }
        return (sequences, contents)
    }

    @Test func `a damaged log is seen by all who look, and what stands behind the damage is read`() throws {
        let path = try makeKilled()
        #expect(try #require(try BufferVerification(path)).isWhole)
        #expect(try BufferStatus.read(path)?.isLogDamaged == false)
        var log = try Data(contentsOf: URL(filePath: path + "-wal"))
        for offset in 0..<8 { log[32 + 20 * 2_072 + 500 + offset] ^= 0xFF }
        try log.write(to: URL(filePath: path + "-wal"))
        let verification = try #require(try BufferVerification(path))
        #expect(!verification.isWhole && verification.problems.contains { $0.contains("log") })
        #expect(try BufferStatus.read(path)?.isLogDamaged == true)
        let (sequences, contents) = try exported(path)
        #expect(contents.isLogDamaged && sequences.contains(17))
    }

    @Test func `past noise in the midst of a file all that can be read is counted and exported`() throws {
        var stream: StreamId = 0
        do {
            let buffer = try fixture.open()
            stream = buffer.stream
            let text = String(repeating: "x", count: 1_000)
            for _ in 0..<300 { try buffer.append(.event, json: "{\"type\":\"\(text)\"}", goingOut: false) }
        }
        #expect(stream != 0)
        var bytes = try Data(contentsOf: URL(filePath: fixture.path))
        let middle = bytes.count / 2 / 2_048 * 2_048
        var random = Seeded(state: 1)
        for offset in middle..<middle + 32_768 { bytes[offset] = UInt8.random(in: 0...255, using: &random) }
        try bytes.write(to: URL(filePath: fixture.path))
        let verification = try #require(try BufferVerification(fixture.path))
        #expect(!verification.isWhole && verification.batches > 230 && verification.batches < 300)
        #expect(verification.problems.contains { $0.contains("of 300 cannot be read") && !$0.contains("SELECT") })
        let (sequences, contents) = try exported(fixture.path)
        #expect(sequences.count == verification.batches && sequences == sequences.sorted() && sequences.last == 300)
        #expect(contents.isDamaged && contents.leftOut >= 300 - sequences.count)
        // Without its first page SQLite does not even open it.
        bytes.replaceSubrange(0..<2_048, with: Data(count: 2_048))
        try bytes.write(to: URL(filePath: fixture.path))
        #expect(try #require(try BufferVerification(fixture.path)).batches == sequences.count)
        #expect(try exported(fixture.path).sequences == sequences)
    }

    @Test func `a file of any buffer, and any database, is known as such, and no export is`() throws {
        let other = fixture.directory + "/other.bin"
        do { _ = try Buffer(path: other, device: fixture.device, clock: fixture.time.clock) }
        for name in ["other.bin", "other.bin.lock", "other.bin.reserve"] { #expect(BufferFiles.isOfAny(fixture.directory + "/" + name)) }
        try Data().write(to: URL(filePath: other))
        #expect(BufferFiles.isOfAny(other))
        try FileManager.default.createSymbolicLink(atPath: fixture.directory + "/link", withDestinationPath: other)
        #expect(BufferFiles.isOfAny(fixture.directory + "/link"))
        try Data("{}".utf8).write(to: URL(filePath: fixture.directory + "/export.json"))
        #expect(!BufferFiles.isOfAny(fixture.directory + "/export.json") && !BufferFiles.isOfAny(fixture.directory + "/absent"))
    }
}
