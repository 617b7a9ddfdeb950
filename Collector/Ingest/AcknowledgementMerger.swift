import Telemetry

/// Gathers the outcomes of a group and merges them into as few messages as the format allows: one a device and stream, its sequences in runs.
package struct AcknowledgementMerger {
    private struct Key: Hashable, Comparable {
        let device: DeviceId
        let stream: StreamId

        static func < (a: Key, b: Key) -> Bool { (a.device, a.stream) < (b.device, b.stream) }
    }

    private var outcomes: [Key: [Sequence64: Acknowledgement.Outcome]] = [:]

    package init() {}

    /// What is committed stays committed, whatever a damaged copy of the same sequence deserved.
    package mutating func add(_ device: DeviceId, _ stream: StreamId, _ sequence: Sequence64, _ outcome: Acknowledgement.Outcome) {
        let key = Key(device: device, stream: stream)
        guard outcomes[key]?[sequence] != .committed else { return }
        outcomes[key, default: [:]][sequence] = outcome
    }

    /// The messages, in the order of devices and streams.
    /// - Parameter pace: what each of them asks of its device (`Acknowledgement.pace`).
    package func messages(pace: Int? = nil) -> [(device: DeviceId, acknowledgement: Acknowledgement)] {
        var messages: [(device: DeviceId, acknowledgement: Acknowledgement)] = []
        for (key, sequences) in outcomes.sorted(by: { $0.key < $1.key }) {
            let runs = Self.runs(sequences)
            for start in stride(from: 0, to: runs.count, by: Acknowledgement.runsMax) {
                let part = runs[start..<min(start + Acknowledgement.runsMax, runs.count)]
                messages.append((key.device, Acknowledgement(stream: key.stream, pace: pace, runs: Array(part))))
            }
        }
        return messages
    }

    private static func runs(_ sequences: [Sequence64: Acknowledgement.Outcome]) -> [Acknowledgement.Run] {
        var runs: [Acknowledgement.Run] = []
        for (sequence, outcome) in sequences.sorted(by: { $0.key < $1.key }) {
            if let last = runs.last, last.last + 1 == sequence, last.outcome == outcome, last.count < Acknowledgement.runCountMax {
                runs[runs.count - 1] = Acknowledgement.Run(first: last.first, count: last.count + 1, outcome: outcome)
            } else {
                runs.append(Acknowledgement.Run(first: sequence, outcome: outcome))
            }
        }
        return runs
    }
}
