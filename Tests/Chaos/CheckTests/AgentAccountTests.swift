import ChaosCheck
import Telemetry
import Testing

@Suite struct AgentAccountTests {
    private func block(_ seconds: [Int64]) -> Block { Block(seconds.map { Tick(at: $0 * 1_000, readings: [Reading(Series("cpu_usage"), 0.5)]) }) }
    private let windows = AgentWindows(device: "edge-1", interval: 1_000, up: [[100_000, 120_000], [200_000, 210_000]])

    @Test func `a grid without gaps while the agent ran is whole`() {
        let counts = AgentAccount(windows, blocks: [block(Array(100...120)), block(Array(199...211))]).counts
        #expect(counts.lost == 0)
        #expect(counts.duplicated == 0)
        #expect(counts.stored == 34)
    }

    @Test func `a batch that is missing is a gap`() {
        #expect(AgentAccount(windows, blocks: [block(Array(100...110)), block(Array(116...120)), block(Array(199...211))]).counts.lost == 5)
    }

    @Test func `ticks that are missing before a kill are a gap`() {
        #expect(AgentAccount(windows, blocks: [block(Array(100...115)), block(Array(199...211))]).counts.lost == 4)
    }

    @Test func `the same tick twice is a duplicate`() {
        #expect(AgentAccount(windows, blocks: [block(Array(100...120)), block(Array(120...121)), block(Array(199...211))]).counts.duplicated == 1)
    }
}
