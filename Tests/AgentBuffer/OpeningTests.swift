import AgentBuffer
import Foundation
import Telemetry
import Testing

/// What opening a buffer and asking for its status cost: counted, not timed.
struct OpeningTests {
    private let fixture: BufferFixture

    init() throws { fixture = try BufferFixture() }

    @Test func `opening a full buffer of 64 MiB, and its status, read hardly more pages than an empty one's`() throws {
        do { _ = try fixture.open() }
        let empty = try cost()
        do {
            let buffer = try fixture.open()
            var limits = BufferLimits()
            limits.bytesMax = 64 * 1_024 * 1_024
            // Events that hardly differ from batches: 60,000 bytes each, until there is no room for more.
            let text = String(repeating: "x", count: 60_000)
            while buffer.evictedBatches == 0 { try buffer.append(.event, json: "{\"type\":\"\(text)\"}", goingOut: false) }
            #expect(try buffer.status().usedBytes > 50 * 1_024 * 1_024)
        }
        let full = try cost()
        #expect(full <= empty + 16)
    }

    private func cost() throws -> Int {
        let buffer = try fixture.open()
        _ = try buffer.status()
        return buffer.pagesRead
    }
}
