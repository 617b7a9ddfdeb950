import Foundation
import ServerFixtures
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// A scratch directory, free ports, and the real programs on them: a broker, a collector, an agent. Everything ends with the stage.
final class Stage {
    let directory: String
    let brokerPort = LoopbackPort.free()
    let httpPort = LoopbackPort.free()
    private(set) var broker: RunningProcess?
    private(set) var collector: RunningProcess?
    private(set) var agent: RunningProcess?

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "farwatch-\(UUID().uuidString.prefix(8))").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    deinit {
        for process in [agent, collector, broker] { process?.kill() }
        try? FileManager.default.removeItem(atPath: directory)
    }

    // MARK: Programs

    func startBroker() throws {
        let configuration = directory + "/mosquitto.conf"
        let text = """
            listener \(brokerPort) 127.0.0.1
            allow_anonymous true
            persistence false
            max_inflight_messages 0
            max_queued_messages 100000
            """
        try text.write(toFile: configuration, atomically: true, encoding: .utf8)
        broker = try RunningProcess(try #require(Programs.mosquitto), ["-c", configuration], logPath: directory + "/broker.log")
    }

    /// More of the collectors' settings, by variable.
    var settings: [String: String] = [:]

    var collectorEnvironment: [String: String] {
        let usual = [
            "FARWATCH_BROKER_HOST": "127.0.0.1", "FARWATCH_BROKER_PORT": "\(brokerPort)", "FARWATCH_DATA_DIRECTORY": directory + "/collector",
            "FARWATCH_HTTP_PORT": "\(httpPort)",
        ]
        return usual.merging(settings) { $1 }
    }

    func startCollector() throws {
        collector = try RunningProcess(Programs.collector, ["serve"], environment: collectorEnvironment, logPath: directory + "/collector.log")
    }

    func agentConfiguration(_ more: String = "") throws -> String {
        let path = directory + "/agent.yaml"
        let text = """
            device: {id: edge-1}
            broker: {host: 127.0.0.1, port: \(brokerPort)}
            sampling: {interval: 200ms}
            latency: {interval: 1s}
            buffer: {path: \(directory)/agent/buffer.sqlite, seal_age: 1s}
            status: {socket: \(directory)/agent.sock}
            \(more)
            """
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    func startAgent(_ more: String = "", environment: [String: String] = [:]) throws {
        agent = try RunningProcess(
            Programs.agent, ["run", "--config", try agentConfiguration(more)], environment: environment, logPath: directory + "/agent.log")
    }

    func fleetArguments(_ arguments: [String]) -> [String] {
        ["--port", "\(brokerPort)", "--directory", directory + "/fleet", "--json"] + arguments
    }

    // MARK: HTTP

    func get(_ path: String) async throws -> (status: Int, body: Data, type: String) {
        var request = URLRequest(url: try #require(URL(string: "http://127.0.0.1:\(httpPort)\(path)")))
        request.timeoutInterval = 10
        request.cachePolicy = .reloadIgnoringLocalCacheData
        let (body, response) = try await URLSession.shared.data(for: request)
        let answer = try #require(response as? HTTPURLResponse)
        return (answer.statusCode, body, answer.value(forHTTPHeaderField: "Content-Type") ?? "")
    }

    func json(_ path: String) async throws -> [String: Any] {
        let (_, body, _) = try await get(path)
        return try #require(try JSONSerialization.jsonObject(with: body) as? [String: Any])
    }

    func device(_ id: String) async throws -> [String: Any]? {
        let devices = try await json("/v1/devices")["devices"] as? [[String: Any]]
        return devices?.first { $0["id"] as? String == id }
    }

    /// A metric's value, or the sum over its labels.
    func metric(_ name: String) async throws -> Double {
        let (_, body, _) = try await get("/metrics")
        return String(decoding: body, as: UTF8.self).split(separator: "\n").filter { $0.hasPrefix(name + " ") || $0.hasPrefix(name + "{") }
            .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
    }

    // MARK: Waiting

    /// Tries until `condition` holds; fails the test with what was waited for when it does not within `seconds`.
    func wait(
        _ what: String, seconds: Double = 30, sourceLocation: SourceLocation = #_sourceLocation, until condition: () async throws -> Bool
    ) async throws {
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            if (try? await condition()) == true { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("waited \(seconds) s in vain: \(what)\n\(logs)", sourceLocation: sourceLocation)
        throw Waited(what: what)
    }

    struct Waited: Error { let what: String }

    func waitForCollector() async throws {
        try await wait("the collector is ready") { try await self.get("/readyz").status == 200 }
    }

    /// The last lines of every log, for a failure's message.
    var logs: String {
        [broker, collector, agent].compactMap { $0 }.map { process in
            "--- \(process.logPath)\n" + process.log.split(separator: "\n").suffix(12).joined(separator: "\n")
        }.joined(separator: "\n")
    }
}

/// All integration suites run one after the other: two cores, and real time.
@Suite(.serialized, .enabled(if: Programs.mosquitto != nil, "mosquitto is not installed"))
struct Integration {}
