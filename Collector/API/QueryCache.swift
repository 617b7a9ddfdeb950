import CacheStores
import Telemetry

/// Answers that cost the stores much, kept for a minute (`query:{hash}`) under the question and the state of the stores that they are of: once that
/// is another, nobody asks for them again. So collectors on one Redis may share them, and none is older than what was committed.
package struct QueryCache: Sendable {
    private let cache: any Cache
    /// What is found sooner is sooner found again than kept.
    private let keptAfter: Duration

    package init(cache: any Cache, keptAfter: Duration = .milliseconds(10)) {
        self.cache = cache
        self.keptAfter = keptAfter
    }

    /// - Parameter question: all that the answer follows from, told apart part by part.
    package func answer(to question: [String], make: () async throws -> String) async rethrows -> String {
        var writer = JSONWriter()
        writer.array { array in for part in question { array.string(nil, part) } }
        // The question stands before its answer: a hash alone could be that of another.
        let mark = Array((writer.text + "\n").utf8)
        let key = CacheKey(.query, Self.hash(mark))
        if let kept = await cache.get(key), kept.starts(with: mark) { return String(decoding: kept[mark.count...], as: UTF8.self) }
        let began = ContinuousClock.now
        let answer = try await make()
        if ContinuousClock.now - began >= keptAfter { await cache.set(key, mark + Array(answer.utf8)) }
        return answer
    }

    /// FNV-1a of 64 bits.
    private static func hash(_ bytes: [UInt8]) -> String {
        String(bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }, radix: 16)
    }
}
