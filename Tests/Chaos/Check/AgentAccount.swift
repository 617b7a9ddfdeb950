import Telemetry

/// When a real agent was certainly running, as whoever started and killed it has noted. Milliseconds since 1970.
package struct AgentWindows: Sendable, Codable {
    package var device: String
    /// Between two ticks.
    package var interval: Int64
    package var up: [[Int64]]

    package init(device: String, interval: Int64, up: [[Int64]]) {
        self.device = device
        self.interval = interval
        self.up = up
    }
}

/// Compares what is stored of a real agent with the grid on which it ticks: what it sampled nobody else knows, but when it must have.
package struct AgentAccount {
    /// A gap of fewer intervals is a tick that was late on a busy machine; whatever loses a batch, or the ticks before a kill, makes a longer one.
    private static let gapIntervals: Int64 = 3

    package private(set) var counts = SampleCounts()
    package private(set) var findings: [String] = []

    package init(_ windows: AgentWindows, blocks: [Block]) {
        var samplesAt: [Int64: Int] = [:]
        for block in blocks {
            var samples = Array(repeating: 0, count: block.timestamps.count)
            for column in block.columns { column.forEach { position, _ in samples[position] += 1 } }
            for (at, samples) in zip(block.timestamps, samples) {
                if samplesAt[at] != nil {
                    counts.duplicated += samples
                    findings.append("the tick at \(at) is stored more than once")
                }
                samplesAt[at] = samples
                counts.stored += samples
            }
        }
        let times = samplesAt.keys.sorted()
        let samplesATick = counts.stored / max(1, times.count)
        for window in windows.up where window.count == 2 && window[1] > window[0] {
            let marks = [window[0]] + times.filter { $0 > window[0] && $0 < window[1] } + [window[1]]
            for (from, to) in zip(marks, marks.dropFirst()) where to - from >= Self.gapIntervals * windows.interval {
                counts.lost += Int((to - from) / windows.interval - 1) * max(1, samplesATick)
                findings.append("no tick between \(from) and \(to), when the agent was running")
            }
        }
        counts.produced = counts.stored + counts.lost
    }
}
