import AgentBuffer
import Foundation
import LinuxDriver
import Telemetry
import Testing

/// The numbers beside a batch's bytes have no checksum: whatever they say, what is reckoned with them is something that can be.
struct HostileRowTests {
    private let fixture: BufferFixture

    init() throws { fixture = try BufferFixture() }

    private func fill(_ buffer: Buffer) throws {
        for number in 0..<5 {
            try buffer.append(fixture.tick(Double(number)))
            fixture.time.advance(10_000)
            try buffer.seal(goingOut: true)
        }
    }

    @Test(arguments: ["span = 3", "span = -1, samples = -5, ticks = -9", "span = 1 << 62, samples = ~(1 << 63), ticks = ~(1 << 63)"])
    func `a receipt of a damaged batch tells of nothing that is still here, and of numbers that a collector takes`(numbers: String) throws {
        let buffer = try fixture.open()
        try fill(buffer)
        try fixture.alter("UPDATE batches SET bytes = x'00', first_at = -1, last_at = ~(1 << 63), \(numbers) WHERE sequence = 3")
        #expect(try buffer.batch(3) == nil)
        try buffer.seal(goingOut: true)
        let receipt = try #require(try fixture.receipts("dropped", "damage", in: buffer).first)
        #expect(receipt["sequences"] as? [[Int]] == [[3, 3]])
        for key in ["ticks", "samples", "samples_left"] { #expect((0...1 << 53).contains(try #require(receipt[key] as? Int))) }
        #expect(try fixture.batches(in: buffer).map(\.sequence) == [6, 5, 4, 2, 1])
    }

    @Test func `what follows a gap stands for no sequence before it that was never here`() throws {
        let buffer = try fixture.open()
        try fill(buffer)
        try buffer.forget(.init(first: 1, count: 2), of: buffer.stream)
        // Deletes what is forgotten.
        _ = try buffer.status()
        try fixture.alter("UPDATE batches SET bytes = x'00', span = 50 WHERE sequence = 3")
        #expect(try buffer.batch(3) == nil)
        try buffer.seal(goingOut: true)
        #expect(try fixture.receipts("dropped", "damage", in: buffer).first?["sequences"] as? [[Int]] == [[1, 3]])
    }

    @Test func `times that no clock shows do not end the status`() throws {
        let buffer = try fixture.open()
        try fill(buffer)
        try fixture.alter("UPDATE batches SET first_at = 1 << 63 WHERE sequence = 1")
        try fixture.alter("UPDATE batches SET last_at = ~(1 << 63) WHERE sequence = 5")
        #expect(try #require(try buffer.status().daysLeft) > 1)
    }

    @Test func `a sequence that was never given out is damage`() throws {
        var limits = BufferLimits()
        limits.bytesMax = 1_600 * 1_024 + 128 * 1_024
        limits.reserveBytes = 0
        let buffer = try fixture.open(limits)
        try buffer.append(.event, json: "{}", goingOut: false)
        try fixture.alter("UPDATE batches SET sequence = -7 WHERE sequence = 1")
        let text = String(repeating: "x", count: 60_000)
        let error = #expect(throws: BufferError.self) {
            for _ in 0..<10 { try buffer.append(.event, json: "{\"type\":\"\(text)\"}", goingOut: false) }
        }
        #expect(error?.reason == .damaged)
    }

    @Test(arguments: [Int64.min, .max]) func `the status shows no time that cannot be`(number: Int64) throws {
        let buffer = try fixture.open()
        try buffer.append(fixture.tick())
        try buffer.seal(goingOut: false)
        try fixture.alter("UPDATE batches SET first_at = \(number), last_at = \(number)")
        let status = try buffer.status()
        for at in [status.oldestAt, status.newestAt] {
            let at = try #require(at)
            #expect(number < 0 ? at == 0 : at < number)
            #expect(Timestamp.text(at).count >= 20)
        }
    }
}
