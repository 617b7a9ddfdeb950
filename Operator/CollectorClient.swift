import ArgumentParser
import AsyncHTTPClient
import Foundation
import LinuxDriver
import NIOCore
import NIOHTTP1

/// Speaks HTTP to the collector; what goes wrong ends the program with a line that says what.
struct CollectorClient {
    /// For an answer. A replay of all of quarantine is the longest there is.
    private static let timeout: TimeAmount = .seconds(300)
    /// For a connection.
    static let connectSeconds: Int64 = 5
    /// Of an answer; a page of quarantine is the largest there is.
    private static let bytesMax = 64 * 1024 * 1024

    /// Lives as long as the program.
    private static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow, timeout: .init(connect: .seconds(connectSeconds)))
        // What is refused now is told now.
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    private let address: CollectorAddress

    init(_ options: CollectorOptions) throws { address = try CollectorAddress(options) }

    func get(_ path: String, _ query: [(String, String?)] = []) async throws -> Answer { try await send("GET", path, query) }
    func post(_ path: String, _ query: [(String, String?)] = [], body: [UInt8]? = nil) async throws -> Answer {
        try await send("POST", path, query, body)
    }
    func put(_ path: String, body: [UInt8]) async throws -> Answer { try await send("PUT", path, [], body) }
    func delete(_ path: String) async throws { _ = try await send("DELETE", path, []) }

    private func send(_ method: String, _ path: String, _ query: [(String, String?)], _ content: [UInt8]? = nil) async throws -> Answer {
        var request = HTTPClientRequest(url: address.url(path, query))
        request.method = .RAW(value: method)
        if let content { request.body = .bytes(content) }
        let (status, body): (UInt, Data)
        do {
            let response = try await Self.http.execute(request, timeout: Self.timeout)
            let buffer = try await response.body.collect(upTo: Self.bytesMax)
            (status, body) = (response.status.code, Data(buffer.readableBytesView))
        } catch {
            let advice = "Is it running there? --collector or FARWATCH_COLLECTOR names another one."
            Output.errorLine("farwatch: cannot ask the collector at \(address.text): \(ConnectionFailure.reason(of: error)). \(advice)")
            throw Exit.unavailable
        }
        guard (200..<300).contains(status) else { throw failure(status, body) }
        return Answer(body, from: address)
    }

    /// Says what the problem document says.
    private func failure(_ status: UInt, _ body: Data) -> ExitCode {
        struct Problem: Decodable { let detail: String }
        guard let problem = try? JSONDecoder().decode(Problem.self, from: body) else {
            // Not a word of ours: something else listens there.
            Output.errorLine("farwatch: what listens at \(address.text) answered with status \(status) and nothing that a collector says")
            return Exit.unavailable
        }
        Output.errorLine("farwatch: " + Table.printable(problem.detail))
        return status == 404 ? Exit.notFound : (400..<500).contains(status) ? Exit.usage : Exit.unavailable
    }
}

/// What the collector said.
struct Answer {
    private let body: Data
    private let address: CollectorAddress

    init(_ body: Data, from address: CollectorAddress) {
        self.body = body
        self.address = address
    }

    var text: String { String(decoding: body, as: UTF8.self) }

    func decoded<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
        do { return try JSONDecoder().decode(type, from: body) } catch {
            Output.errorLine("farwatch: the answer from \(address.text) cannot be read; is that a collector, and of this version?")
            throw Exit.unavailable
        }
    }
}
