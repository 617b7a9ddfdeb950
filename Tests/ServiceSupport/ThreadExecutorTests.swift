import Foundation
import ServiceSupport
import Testing

private actor Blocking {
    private let executor = ThreadExecutor(name: "a-name-that-is-too-long")
    private var count = 0
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    func threadName() -> String {
        count += 1
        let comm = (try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)) ?? ""
        return comm.trimmingCharacters(in: .newlines)
    }

    func add() { count += 1 }
    func total() -> Int { count }
}

@Suite(.timeLimit(.minutes(5))) struct ThreadExecutorTests {
    /// Those of this process that bear the name which Linux makes of `Blocking`'s; a thread may end while it is looked at.
    private static func threads() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")
            .count { (try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8)) == "a-name-that-is-\n" }
    }

    @Test func `an actor's work runs on its own thread, under its name`() async {
        #expect(await Blocking().threadName() == "a-name-that-is-")
    }

    @Test func `work from many tasks runs one after the other`() async {
        let actor = Blocking()
        await withTaskGroup { group in
            for _ in 0..<1_000 { group.addTask { await actor.add() } }
        }
        #expect(await actor.total() == 1_000)
    }

    @Test func `the thread ends when the actor is released`() async throws {
        for _ in 0..<200 {
            let actor = Blocking()
            await actor.add()
        }
        // Threads end on their own, so they are waited for; those of the suite's other tests end too.
        while try Self.threads() > 0 { try await Task.sleep(for: .milliseconds(20)) }
    }
}
