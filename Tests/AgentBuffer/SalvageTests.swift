import AgentBuffer
import Foundation
import LinuxDriver
import SQLiteDriver
import Telemetry
import Testing

/// Damaged files, as disks and cards make them: whatever was done to it, a buffer opens, takes over what can be read, doubles nothing, and tells.
struct SalvageTests {
    private let fixture: BufferFixture

    init() throws { fixture = try BufferFixture() }

    private static let batches = 150
    private static let waiting = 25

    /// Batches of ten ticks each and some unsealed ones, every tick with a number of its own; the log is left as it is, or brought into the file.
    private func makeBuffer(checkpointed: Bool, batches: Int = Self.batches) throws -> StreamId {
        let stream: StreamId
        do {
            let buffer = try fixture.open()
            stream = buffer.stream
            var number = 0
            for _ in 0..<batches {
                for _ in 0..<10 { try append(&number, to: buffer) }
                try buffer.seal(goingOut: number % 20 == 0)
            }
            for _ in 0..<Self.waiting { try append(&number, to: buffer) }
            if !checkpointed {
                // As a killed process leaves them: with the log beside the file.
                for suffix in ["", "-wal"] {
                    try FileManager.default.copyItem(atPath: fixture.path + suffix, toPath: fixture.path + suffix + ".kept")
                }
            }
        }
        if !checkpointed {
            for suffix in ["", "-wal"] {
                try? FileManager.default.removeItem(atPath: fixture.path + suffix)
                try FileManager.default.moveItem(atPath: fixture.path + suffix + ".kept", toPath: fixture.path + suffix)
            }
        }
        return stream
    }

    private func append(_ number: inout Int, to buffer: Buffer) throws {
        try buffer.append(fixture.tick(Double(number), ["number", "other"]))
        fixture.time.advance(1_000)
        number += 1
    }

    private func change(_ suffix: String = "", _ work: (inout Data) -> Void) throws {
        let url = URL(filePath: fixture.path + suffix)
        var bytes = try Data(contentsOf: url)
        work(&bytes)
        try bytes.write(to: url)
    }

    /// The numbers of the ticks in batches, and in what waited.
    private func numbers(_ buffer: Buffer) throws -> (batches: [Int], waiting: [Int]) {
        let newest = buffer.newestSequence
        try buffer.seal(goingOut: true)
        var (batches, waiting): ([Int], [Int]) = ([], [])
        for batch in try fixture.batches(in: buffer).reversed() where batch.kind == .samples {
            // A tick whose series could not be read has no number.
            let numbers = try Block(decoding: batch.payload).ticks().compactMap { tick in
                tick.readings.first { $0.series.metric == "number" }.map { Int($0.value) }
            }
            if batch.sequence <= newest { batches += numbers } else { waiting += numbers }
        }
        return (batches, waiting)
    }

    @Test func `a file without its first page gives back every batch and every tick, with the places that they had`() throws {
        let stream = try makeBuffer(checkpointed: true)
        try change { $0.replaceSubrange(0..<2_048, with: Data(count: 2_048)) }
        let buffer = try fixture.open()
        let damage = try #require(buffer.damage)
        #expect(damage.stream == stream && damage.newestSequence == UInt64(Self.batches))
        #expect(damage.salvagedTicks == Int64(Self.waiting))
        #expect(buffer.stream != stream)
        let batches = try fixture.batches(in: buffer).filter { $0.kind == .samples }
        let origins = Set(batches.compactMap { $0.origin?.sequence })
        #expect(origins == Set(1...UInt64(Self.batches)))
        #expect(batches.allSatisfy { $0.origin?.stream == stream && buffer.isMarkedSent($0.sequence) })
        let found = try numbers(buffer)
        #expect(Set(found.batches) == Set(0..<Self.batches * 10))
        #expect(found.waiting == Array(Self.batches * 10..<Self.batches * 10 + Self.waiting))
        // The event says so.
        let event = try #require(try fixture.events("damaged_buffer", in: buffer).first)
        #expect(event["stream"] as? String == String(stream, radix: 16) && event["kept"] as? String == damage.kept)
        #expect(event["salvaged_batches"] as? Int == Int(damage.salvagedBatches) && event["salvaged_ticks"] as? Int == Self.waiting)
    }

    @Test func `half a file gives back what is in it`() throws {
        _ = try makeBuffer(checkpointed: true, batches: 1_000)
        try change { $0 = $0.prefix($0.count / 2) }
        let buffer = try fixture.open()
        #expect(try #require(buffer.damage).salvagedBatches > 100)
    }

    @Test func `a log that was taken away is missed, although the file without it is whole`() throws {
        _ = try makeBuffer(checkpointed: false)
        try FileManager.default.removeItem(atPath: fixture.path + "-wal")
        let buffer = try fixture.open()
        #expect(try #require(buffer.damage).newestSequence == UInt64(Self.batches))
        let found = try numbers(buffer)
        #expect(Set(found.batches).count == found.batches.count)
        #expect(Set(found.batches).isDisjoint(with: found.waiting))
    }

    @Test func `a file that is cut while it is in use is found damaged, not taken for a full disk`() throws {
        let buffer = try fixture.open()
        let values = (0..<200).map { Reading(Series("s\($0)"), Double($0) * .pi) }
        func work() throws {
            fixture.time.advance(60_000)
            try buffer.append(Tick(at: fixture.time.wall, readings: values))
            try buffer.seal(goingOut: false)
        }
        for _ in 0..<1_500 { try work() }
        let whole = try FileIdentity.of(fixture.path).size
        #expect(whole > 2_000_000)
        #expect(truncate(fixture.path, off_t(whole / 10)) == 0)
        var reason: BufferError.Reason?
        for _ in 0..<3_000 where reason == nil {
            do { try work() } catch { reason = (error as? BufferError)?.reason }
        }
        #expect(reason == .damaged)
    }

    @Test(arguments: [0.1, 0.5, 0.9]) func `a log damaged in its middle gives back what stands behind the damage`(place: Double) throws {
        _ = try makeBuffer(checkpointed: false)
        try change("-wal") { bytes in
            // Behind the frames of this round of the log, which have its salts, there are some of the round before.
            var frames = 0
            while 32 + (frames + 1) * 2_072 <= bytes.count, bytes[16..<24] == bytes[(32 + frames * 2_072 + 8)..<(32 + frames * 2_072 + 16)] {
                frames += 1
            }
            let at = 32 + Int(Double(frames * 2_072) * place)
            for offset in 0..<16 { bytes[at + offset] ^= 0x5A }
        }
        let buffer = try fixture.open()
        #expect(buffer.damage != nil)
        let found = try numbers(buffer)
        #expect(Set(found.batches).count == found.batches.count)
        #expect(Set(found.batches).isDisjoint(with: found.waiting))
        // One page of rows at most: a batch's, or that of the ticks.
        #expect(found.batches.count >= (Self.batches - 50) * 10)
        if found.batches.count + found.waiting.count < Self.batches * 10 + Self.waiting {
            #expect(try !fixture.receipts("dropped", "damage", in: buffer).isEmpty)
        }
    }

    @Test func `after a restart of the machine a log that ends in torn ticks is no damage`() throws {
        _ = try makeBuffer(checkpointed: false)
        try change("-wal") { $0 = $0.prefix($0.count - 6_000) }
        #expect(try fixture.open(bootId: 2).damage == nil)
    }

    @Test func `any bytes turned or cut off leave a buffer that opens, doubles nothing, and lost little`() throws {
        let seeds = ProcessInfo.processInfo.environment["SALVAGE_SEEDS"].flatMap { Int($0) } ?? 40
        for isCheckpointed in [true, false] {
            try removeAll()
            _ = try makeBuffer(checkpointed: isCheckpointed)
            let names = ["", "-wal", ".lock"].filter { FileManager.default.fileExists(atPath: fixture.path + $0) }
            let whole = try names.map { try Data(contentsOf: URL(filePath: fixture.path + $0)) }
            for seed in 1...seeds / 2 {
                try removeAll()
                var random = Seeded(state: UInt64(seed) &* 7_919)
                let victim = Int.random(in: 0..<whole.count, using: &random)
                for (index, name) in names.enumerated() {
                    var bytes = whole[index]
                    if index == victim { Self.damage(&bytes, &random) }
                    try bytes.write(to: URL(filePath: fixture.path + name))
                }
                try settle()
                let reopened = try fixture.open()
                let found = try numbers(reopened)
                let all = found.batches + found.waiting
                #expect(Set(all).count == all.count, "seed \(seed), \(names[victim])")
                #expect(Set(all).isSubset(of: 0..<Self.batches * 10 + Self.waiting), "seed \(seed), \(names[victim])")
            }
        }
    }

    private func removeAll() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: fixture.directory) {
            try FileManager.default.removeItem(atPath: fixture.directory + "/" + name)
        }
    }

    /// What the agent does with a buffer: reads all of it; when that finds damage, condemns it, so that the next opening salvages.
    private func settle() throws {
        let buffer = try fixture.open()
        do {
            _ = try fixture.batches(in: buffer)
            try buffer.forget(Acknowledgement.Run(first: UInt64(BufferLimits.pendingTicksMax) << 20, count: 100), of: buffer.stream)
            _ = try buffer.status()
        } catch let error as BufferError {
            guard error.reason == .damaged else { throw error }
            #expect(buffer.condemn())
        }
    }

    private static func damage(_ bytes: inout Data, _ random: inout Seeded) {
        guard !bytes.isEmpty else { return }
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes = bytes.prefix(Int.random(in: 0..<bytes.count, using: &random))
        case 1:
            for _ in 0..<Int.random(in: 1...64, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
        case 2:
            let page = Int.random(in: 0..<max(1, bytes.count / 2_048), using: &random) * 2_048
            for offset in page..<min(bytes.count, page + 2_048) { bytes[offset] = UInt8.random(in: 0...255, using: &random) }
        default:
            let start = Int.random(in: 0..<bytes.count, using: &random)
            for offset in start..<min(bytes.count, start + 20_000) { bytes[offset] = 0 }
        }
    }

    @Test func `receipts that were owed come over as events of the damaged file's stream`() throws {
        var limits = BufferLimits()
        limits.bytesMax = BufferLimits.bytesMaxLeast
        let text = String(repeating: "x", count: 60_000)
        let stream: StreamId
        do {
            let buffer = try fixture.open(limits)
            stream = buffer.stream
            for _ in 0..<100 { try buffer.append(.event, json: "{\"type\":\"\(text)\"}", goingOut: false) }
            #expect(buffer.evictedBatches > 0 && buffer.condemn())
        }
        let buffer = try fixture.open(limits)
        let receipt = try #require(try fixture.batches(in: buffer).first { String(decoding: $0.payload, as: UTF8.self).contains("eviction_receipt") })
        #expect(receipt.origin == Batch.Origin(stream: stream, sequence: 101))
    }

    @Test func `what was salvaged before keeps the place that it had first`() throws {
        let first: StreamId
        do {
            let buffer = try fixture.open()
            first = buffer.stream
            try buffer.append(fixture.tick())
            try buffer.seal(goingOut: true)
            #expect(buffer.condemn())
        }
        do { #expect(try fixture.open().condemn()) }
        let buffer = try fixture.open()
        let batch = try #require(try fixture.batches(in: buffer).last { $0.kind == .samples })
        #expect(batch.origin == Batch.Origin(stream: first, sequence: 1))
    }

    @Test func `a file of a version before the first release is kept aside, told of, and begun anew`() throws {
        do { _ = try fixture.open() }
        try fixture.alter("PRAGMA user_version = 1")
        let buffer = try fixture.open()
        #expect(try #require(buffer.damage).reason.contains("before the first release"))
        try buffer.append(fixture.tick())
        #expect(try buffer.seal(goingOut: false) != nil)
    }

    @Test func `a disk that damages each new file leaves a buffer in memory, and one on the disk when some time has passed`() throws {
        for _ in 0..<3 {
            try Data(repeating: 0x55, count: 10_000).write(to: URL(filePath: fixture.path))
            #expect(try fixture.open().memoryReason == nil)
        }
        try Data(repeating: 0x55, count: 10_000).write(to: URL(filePath: fixture.path))
        do {
            let buffer = try fixture.open()
            #expect(buffer.memoryReason != nil)
            try buffer.append(fixture.tick())
            #expect(try buffer.seal(goingOut: true) == 1)
            #expect(try fixture.ticks(in: buffer).count == 1)
            #expect(!buffer.condemn())
            #expect(try buffer.status().batches == 1)
        }
        fixture.time.advance(700_000)
        let buffer = try fixture.open()
        #expect(buffer.memoryReason == nil && buffer.damage != nil)
    }

    @Test func `files kept aside are bounded in number and in bytes`() throws {
        var limits = BufferLimits()
        limits.bytesMax = BufferLimits.bytesMaxLeast
        for _ in 0..<4 {
            try Data(repeating: 0x55, count: 3_000_000).write(to: URL(filePath: fixture.path))
            _ = try fixture.open(limits)
            fixture.time.advance(700_000)
        }
        let kept = try FileManager.default.contentsOfDirectory(atPath: fixture.directory).filter { $0.contains(".damaged-") }
        #expect(kept.count == 1)
    }

    @Test(arguments: [0, 1, 2]) func `a file that ends within SQLite's header is one like any damaged`(more: Int) throws {
        try (Data("SQLite format 3\0".utf8) + Data(count: more)).write(to: URL(filePath: fixture.path))
        let buffer = try fixture.open()
        #expect(buffer.damage != nil && buffer.memoryReason == nil)
    }

    @Test(arguments: [Int64.min, .max]) func `numbers of rows that no checksum covers do no harm`(number: Int64) throws {
        _ = try makeBuffer(checkpointed: true)
        try fixture.alter(
            "UPDATE batches SET samples = \(number), ticks = \(number), first_at = \(number), last_at = \(number), last_tick = \(number)")
        try fixture.alter("UPDATE ticks SET id = id + \(Int64.max / 2) WHERE id > \(Self.batches * 10 + 20)")
        try change { $0.replaceSubrange(0..<2_048, with: Data(count: 2_048)) }
        let buffer = try fixture.open()
        let found = try numbers(buffer)
        #expect(Set(found.batches) == Set(0..<Self.batches * 10))
        #expect(found.waiting == Array(Self.batches * 10..<Self.batches * 10 + 20))
        #expect(try !fixture.receipts("dropped", "damage", in: buffer).isEmpty)
    }

    @Test func `what was given up before it was sealed is told of by the new file`() throws {
        fixture.time.step(wall: -fixture.time.wall + 5_000)
        let count = BufferLimits.pendingTicksMax + 10
        do {
            let buffer = try fixture.open()
            for number in 0..<count { try buffer.append(fixture.tick(Double(number), ["number"])) }
            #expect(buffer.unsealedTicks < count && buffer.condemn())
        }
        let buffer = try fixture.open()
        #expect(buffer.damage != nil)
        fixture.time.step(wall: 1_800_000_000_000)
        try buffer.seal(goingOut: true)
        let receipts = try fixture.receipts("dropped", "pending", in: buffer)
        #expect(try fixture.ticks(in: buffer).count + fixture.sum("ticks", receipts) == count)
        #expect(try fixture.receipts("dropped", "damage", in: buffer).isEmpty)
    }

    @Test func `a receipt that knows no time comes over all the same`() throws {
        fixture.time.step(wall: -fixture.time.wall + 5_000)
        do { for number in 0..<3 { try fixture.open().append(fixture.tick(Double(number), ["number"])) } }
        try fixture.alter("UPDATE ticks SET at = at + 1 WHERE id = 3")
        do {
            let buffer = try fixture.open()
            #expect(buffer.unsealedTicks == 2 && buffer.condemn())
        }
        let buffer = try fixture.open()
        fixture.time.step(wall: 1_800_000_000_000)
        try buffer.seal(goingOut: true)
        #expect(try fixture.ticks(in: buffer).count == 2)
        #expect(fixture.sum("ticks", try fixture.receipts("dropped", "damage", in: buffer)) == 1)
    }

    @Test func `while the clock is not set no file is one too many`() throws {
        fixture.time.step(wall: -fixture.time.wall + 5_000)
        for _ in 0..<5 {
            try Data(repeating: 0x55, count: 10_000).write(to: URL(filePath: fixture.path))
            #expect(try fixture.open().memoryReason == nil)
        }
    }
}
