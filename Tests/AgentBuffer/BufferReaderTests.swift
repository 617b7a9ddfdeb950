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
        #expect(try #require(read.daysLeft) > 1)
    }

    @Test func `a whole buffer is verified while it is in use, and a damaged batch is named`() throws {
        let buffer = try fixture.open()
        try fill(buffer)
        let whole = try BufferVerification(try #require(try BufferReader(fixture.path)))
        #expect(whole.isWhole && whole.batches == 17 && whole.samples == 96)
        try fixture.alter("UPDATE batches SET bytes = CAST(substr(bytes, 1, 40) || x'00' || substr(bytes, 42) AS BLOB) WHERE sequence = 3")
        let damaged = try BufferVerification(try #require(try BufferReader(fixture.path)))
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
}
