import AgentBuffer
import Foundation
import LinuxDriver
import SQLiteDriver
import Telemetry
import Testing

struct OwedReceiptsTests {
    private let fixture: BufferFixture

    init() throws { fixture = try BufferFixture() }

    private func limits(databaseKibibytes: Int64) -> BufferLimits {
        var limits = BufferLimits()
        limits.reserveBytes = 0
        limits.bytesMax = (1_600 + databaseKibibytes) * 1_024
        return limits
    }

    @Test func `while no receipt can be written only so much is given up as can be told of, and all of it is told at last`() throws {
        // Batches of samples that may have been sent, each between two events: no two of them make one range.
        let count = 5_000
        let event = "{\"type\":\"\(String(repeating: "x", count: 400))\"}"
        do {
            let buffer = try fixture.open(limits(databaseKibibytes: 8_192))
            for number in 0..<count {
                try buffer.append(fixture.tick(Double(number)))
                fixture.time.advance(1_000)
                try buffer.seal(goingOut: true)
                try buffer.append(.event, json: event, goingOut: true)
            }
        }
        // A clock that is not set: nothing can be sealed. The file may not grow, and deleting every other row of a page frees none.
        let behind = fixture.time.wall - 5_000
        fixture.time.reboot()
        fixture.time.step(wall: -behind)
        var given = 0
        do {
            let buffer = try fixture.open(limits(databaseKibibytes: 3_072), bootId: 2)
            var errors: [String] = []
            for _ in 0..<400 { do { try buffer.append(fixture.tick(1, (0..<200).map { "n\($0)" })) } catch { errors.append("\(error)") } }
            given = buffer.evictedBatches
            #expect(given > 3_000 && given < count, "\(given) \(buffer.unsealedTicks) \(String(describing: try? buffer.status())) \(errors)")
        }
        // What was owed can be read again, and comes out when the clock is set.
        fixture.time.step(wall: behind)
        let buffer = try fixture.open(limits(databaseKibibytes: 8_192), bootId: 2)
        #expect(buffer.damage == nil)
        for _ in 0..<20 where try buffer.status().receiptsOwed > 0 { try buffer.seal(goingOut: true) }
        #expect(try buffer.status().receiptsOwed == 0)
        var told: Set<UInt64> = []
        for receipt in try fixture.events("eviction_receipt", in: buffer) where receipt["action"] as? String == "dropped" {
            for pair in receipt["sequences"] as? [[Int]] ?? [] { for sequence in pair[0]...pair[1] { told.insert(UInt64(sequence)) } }
        }
        let held = Set(try fixture.batches(in: buffer).map(\.sequence))
        #expect(told.count >= given && told.isDisjoint(with: held))
        #expect(told.union(held) == Set(1...buffer.newestSequence))
    }

    @Test func `a tick larger than may wait costs nothing that is held`() throws {
        let buffer = try fixture.open(limits(databaseKibibytes: 256))
        for number in 0..<20 {
            try buffer.append(fixture.tick(Double(number)))
            fixture.time.advance(1_000)
            try buffer.seal(goingOut: true)
        }
        #expect(throws: BufferError.self) { try buffer.append(fixture.tick(1, (0..<20_000).map { "n\($0)" })) }
        #expect(buffer.evictedBatches == 0 && buffer.samplesGivenUp == 0)
        #expect(try buffer.status().batches == 20 && buffer.status().receiptsOwed == 0)
    }
}
