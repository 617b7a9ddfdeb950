import DocumentStores
import LinuxDriver
import Telemetry
import TimeSeriesStores

extension EvictionReceipt {
    /// The `type` of the event that is a receipt.
    package static let documentType = "eviction_receipt"

    /// Reads the event of a batch (`Shared/README.md`, "Documents and events"). What a receipt gives up is closed for good, so that one that cannot be
    /// right is refused: it may only tell of sequences before its own.
    /// - Parameter now: UTC, milliseconds since 1970.
    init(_ body: JSONValue, of batch: Batch, now: Int64) throws(Refusal) {
        guard let action = body["action"]?.text.flatMap(Action.init) else { throw Self.refusal("its action is neither thinned nor dropped") }
        guard let cause = body["cause"]?.text, Self.isName(cause) else { throw Self.refusal("it has no cause") }
        let resolution = body["resolution"]?.integer ?? 0
        guard (0...Int64(Batch.resolutionMax)).contains(resolution) else { throw Self.refusal("its resolution is out of range") }
        // A salvaged receipt still speaks of the stream that it was written for.
        let own = batch.origin ?? Batch.Origin(stream: batch.stream, sequence: batch.sequence)
        let sequences = try Self.sequences(body, before: own.sequence)
        self.init(
            action: action, cause: cause, resolution: Int(resolution), stream: own.stream, sequences: sequences,
            time: Self.time(body, now: now, isPlaced: !sequences.isEmpty), ticks: try Self.count(body, "ticks"),
            samples: try Self.count(body, "samples"), samplesLeft: try Self.count(body, "samples_left"))
    }

    private static func sequences(_ body: JSONValue, before own: Sequence64) throws(Refusal) -> [ClosedRange<Sequence64>] {
        guard let pairs = body["sequences"]?.array, pairs.count <= rangesMax else {
            throw refusal("its sequences are no list of at most \(rangesMax) pairs")
        }
        var sequences: [ClosedRange<Sequence64>] = []
        for pair in pairs {
            guard let ends = pair.array, ends.count == 2, let first = ends[0].integer, let last = ends[1].integer, first >= 1, first <= last,
                UInt64(last) < own
            else { throw refusal("its sequences are not pairs of a first and a last before its own") }
            sequences.append(UInt64(first)...UInt64(last))
        }
        return sequences
    }

    /// A time that is not told or absurd is unknown: a clock that was wrong does not make a receipt untrue. An open end is where the receipt was
    /// written. One that knows no beginning tells by its sequences, and then this is nil; without any it stands where it was written.
    private static func time(_ body: JSONValue, now: Int64, isPlaced: Bool) -> ClosedRange<Int64>? {
        func time(_ name: String) -> Int64? {
            guard let time = body[name]?.text.flatMap(Timestamp.parse), (BatchCheck.timeMin...now + BatchCheck.aheadMax).contains(time) else {
                return nil
            }
            return time
        }
        let at = time("at") ?? now
        guard let from = time("from") else { return isPlaced ? nil : at...at }
        let to = time("to") ?? max(from, at)
        return from <= to ? from...to : isPlaced ? nil : at...at
    }

    private static func count(_ body: JSONValue, _ name: String) throws(Refusal) -> Int64 {
        guard let count = body[name]?.integer ?? (body[name] == nil ? 0 : nil), (0...EvictionReceipt.countMax).contains(count) else {
            throw refusal("its \(name) are no count")
        }
        return count
    }

    private static func isName(_ text: String) -> Bool {
        (1...causeBytesMax).contains(text.utf8.count)
            && text.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || $0 == UInt8(ascii: "_") }
    }

    private static func refusal(_ detail: String) -> Refusal { Refusal(.badDocument, "an eviction receipt: " + detail) }
}
