import Synchronization
import Telemetry

/// Batches as devices send them.
package enum SampleBatches {
    /// 2026-01-01T00:00:00Z.
    package static let start: Int64 = 1_767_225_600_000
    package static let stream: StreamId = 0xFEED_F00D_0000_0001

    package static func device(_ text: String = "edge-1") -> DeviceId { DeviceId(text)! }

    /// Ticks a second apart with `cpu_usage` counting up in hundredths, and `memory_usage` at every other tick.
    package static func ticks(_ count: Int, from at: Int64 = start) -> [Tick] {
        (0..<count).map { index in
            var readings = [Reading(Series("cpu_usage"), Double(index % 100) / 100)]
            if index % 2 == 0 { readings.append(Reading(Series("memory_usage"), 0.5)) }
            return Tick(at: at + Int64(index) * 1_000, readings: readings)
        }
    }

    package static func samples(
        _ sequence: Sequence64, device: String = "edge-1", stream: StreamId = stream, ticks: [Tick] = ticks(10)
    ) -> Batch {
        Batch(
            kind: .samples, device: self.device(device), stream: stream, sequence: sequence, sealedAt: ticks.last?.at ?? start,
            payload: Block(ticks).encoded()[...])
    }

    package static func document(
        _ json: String, _ sequence: Sequence64, kind: BatchKind = .document, device: String = "edge-1", at: Int64 = start
    ) -> Batch {
        Batch(kind: kind, device: self.device(device), stream: stream, sequence: sequence, sealedAt: at, payload: Array(json.utf8)[...])
    }
}

/// A number that tests change under code that reads it from other threads.
package final class Changeable<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    package init(_ value: Value) { state = Mutex(value) }

    package var value: Value {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }

    package func change(_ body: @Sendable (inout Value) -> Void) { state.withLock { body(&$0) } }
}
