import AgentSync
import Testing

/// A link with a rate and a queue, and a sender that keeps its window full: what the window makes of it.
struct SendWindowTests {
    private struct Outcome {
        let bytesPerSecond: Double
        let longestQueueing: Int64
    }

    /// Sends batches of `batch` bytes over a link of `rate` bytes a second with a round trip of `roundTrip` ms for `seconds`; the second half counts.
    private func fill(rate: Double, roundTrip: Int64, batch: Int = 2_000, seconds: Int64 = 60) -> Outcome {
        var window = SendWindow(bytesMax: 1 << 20)
        var onTheWay: [(sentAt: Int64, answeredAt: Int64)] = []
        var linkFreeAt: Double = 0
        var now: Int64 = 0
        var passed = 0
        var longest: Int64 = 0
        while now < seconds * 1_000 {
            while onTheWay.isEmpty || onTheWay.count * batch < window.bytes {
                linkFreeAt = max(linkFreeAt, Double(now)) + Double(batch) / rate * 1_000
                onTheWay.append((now, Int64(linkFreeAt) + roundTrip))
            }
            let answered = onTheWay.removeFirst()
            let wasLimiting = (onTheWay.count + 1) * batch * 2 >= window.bytes
            now = answered.answeredAt
            window.acknowledged(bytes: batch, roundTrip: now - answered.sentAt, wasLimiting: wasLimiting, now: now)
            guard now > seconds * 500 else { continue }
            passed += batch
            longest = max(longest, now - answered.sentAt - roundTrip)
        }
        return Outcome(bytesPerSecond: Double(passed) / Double(seconds) * 2, longestQueueing: longest)
    }

    @Test(arguments: [
        (rate: 1_250_000.0, roundTrip: Int64(600)), (rate: 125_000.0, roundTrip: Int64(300)), (rate: 12_500.0, roundTrip: Int64(80)),
        (rate: 1_000_000.0, roundTrip: Int64(20)),
    ])
    func `a link is filled, long and fat or thin`(rate: Double, roundTrip: Int64) {
        let outcome = fill(rate: rate, roundTrip: roundTrip)
        #expect(outcome.bytesPerSecond > rate * 0.8, "\(Int(outcome.bytesPerSecond)) of \(Int(rate)) bytes a second")
    }

    @Test func `a thin link's queue is kept short, so that a live batch waits little behind the backlog`() {
        let outcome = fill(rate: 25_000, roundTrip: 100)
        #expect(outcome.longestQueueing <= 1_100, "\(outcome.longestQueueing) ms")
    }

    @Test func `bytes and losses bound it`() {
        var window = SendWindow(bytesMax: 100_000)
        for now in 0..<1_000 as Range<Int64> { window.acknowledged(bytes: 5_000, roundTrip: 10, wasLimiting: true, now: now) }
        #expect(window.bytes == 100_000)
        window.lost(now: 2_000)
        #expect(window.bytes == 50_000)
        window.lost(now: 2_001)
        #expect(window.bytes == 50_000, "one round trip's losses are one loss")
        for now in 3..<100 as Range<Int64> { window.lost(now: now * 1_000) }
        #expect(window.bytes == SendWindow.bytesLeast)
    }

    @Test func `a window that nobody fills does not grow`() {
        var window = SendWindow(bytesMax: 1 << 20)
        for now in 0..<1_000 as Range<Int64> { window.acknowledged(bytes: 5_000, roundTrip: 10, wasLimiting: false, now: now) }
        #expect(window.bytes == SendWindow.bytesFirst)
    }
}
