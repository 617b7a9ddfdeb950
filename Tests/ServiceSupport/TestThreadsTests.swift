import Foundation
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5))) struct TestThreadsTests {
    private static let arrived = Atomic(0)

    @Test func `tests that block take no thread from the others`() async {
        let tasks = 4 * ProcessInfo.processInfo.activeProcessorCount
        await withTaskGroup { group in
            for _ in 0..<tasks {
                group.addTask {
                    Self.arrived.add(1, ordering: .relaxed)
                    // All must be at work at once, each on a thread, for the first to end.
                    while Self.arrived.load(ordering: .relaxed) < tasks { usleep(1000) }
                }
            }
        }
        #expect(Self.arrived.load(ordering: .relaxed) == tasks)
    }
}
