import CollectorFixtures
import Hummingbird
import HummingbirdTesting
import ServiceLifecycle
import Testing

@Suite(.timeLimit(.minutes(1))) struct LiveTests {
    private static func events(_ text: String) -> [Substring] { text.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("data:") } }

    @Test func `a follower hears of all devices first and then of those that change`() async throws {
        let bench = try APIBench()
        try await bench.commit(SampleBatches.samples(1))
        try await bench.commit(SampleBatches.samples(1, device: "edge-2"))
        try await bench.application.test(.live) { client in
            let reader = StreamReader()
            #expect(await reader.request("/v1/live", port: try #require(client.port)))
            let first = Self.events(await reader.read { Self.events($0).count >= 1 })
            #expect(first[0].contains("\"edge-1\"") && first[0].contains("\"edge-2\""))
            try await bench.commit(SampleBatches.samples(2, device: "edge-2"))
            let text = await reader.read { Self.events($0).count >= 2 }
            let second = Self.events(text)[1]
            #expect(!second.contains("\"edge-1\"") && second.contains("\"edge-2\""))
            #expect(text.lowercased().contains("content-type: text/event-stream") && text.contains("event: devices"))
        }
    }

    @Test func `a graceful shutdown ends the stream`() async throws {
        let bench = try APIBench()
        let port = Changeable(0)
        let application = Application(
            responder: bench.application.responder, configuration: bench.application.configuration,
            onServerRunning: { channel in port.value = channel.localAddress?.port ?? 0 }, logger: bench.application.logger)
        let group = ServiceGroup(configuration: .init(services: [.init(service: application)], logger: application.logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            while port.value == 0 { try await Task.sleep(for: .milliseconds(10)) }
            let reader = StreamReader()
            #expect(await reader.request("/v1/live", port: port.value))
            #expect(await reader.read { Self.events($0).count >= 1 }.contains("data: {\"devices\":[]}"))
            await group.triggerGracefulShutdown()
            // Returns only because the stream ends.
            _ = await reader.read { _ in false }
            try await tasks.waitForAll()
        }
    }
}
