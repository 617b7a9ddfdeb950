import ArgumentParser
import Foundation
import LinuxDriver

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// Speaks HTTP to the collector; what goes wrong ends the program with a line that says what.
struct CollectorClient {
    private static let timeoutSeconds: TimeInterval = 60
    /// Of an answer; a page of quarantine is the largest there is.
    private static let bytesMax = 64 * 1024 * 1024

    private let base: URL

    init(_ options: CollectorOptions) throws {
        let text = options.collector ?? Environment.value("FARWATCH_COLLECTOR") ?? CollectorOptions.addressDefault
        guard let url = URL(string: text), let scheme = url.scheme, ["http", "https"].contains(scheme), url.host != nil else {
            Output.errorLine("farwatch: \(text) is no address of a collector, such as \(CollectorOptions.addressDefault)")
            throw Exit.usage
        }
        base = url
    }

    func get(_ path: String, _ query: [(String, String?)] = []) async throws -> Answer { try await send("GET", path, query) }
    func post(_ path: String, _ query: [(String, String?)] = []) async throws -> Answer { try await send("POST", path, query) }
    func delete(_ path: String) async throws -> Answer { try await send("DELETE", path, []) }

    private func send(_ method: String, _ path: String, _ query: [(String, String?)]) async throws -> Answer {
        guard var parts = URLComponents(url: base.appending(path: path), resolvingAgainstBaseURL: false) else { throw Exit.usage }
        let items = query.compactMap { name, value in value.map { URLQueryItem(name: name, value: $0) } }
        if !items.isEmpty { parts.queryItems = items }
        // A plus sign would be read as a space.
        parts.percentEncodedQuery = parts.percentEncodedQuery?.replacingOccurrences(of: "+", with: "%2B")
        guard let url = parts.url else { throw Exit.usage }
        var request = URLRequest(url: url)
        request.httpMethod = method
        request.timeoutInterval = Self.timeoutSeconds
        let (body, response): (Data, URLResponse)
        do { (body, response) = try await URLSession.shared.data(for: request) } catch {
            Output.errorLine("farwatch: the collector at \(base.absoluteString) cannot be reached: \(error.localizedDescription)")
            throw Exit.unavailable
        }
        guard let status = (response as? HTTPURLResponse)?.statusCode, body.count <= Self.bytesMax else { throw Exit.unavailable }
        guard status < 400 else { throw Self.failure(status, body) }
        return Answer(body)
    }

    /// Says what the problem document says.
    private static func failure(_ status: Int, _ body: Data) -> ExitCode {
        struct Problem: Decodable { let detail: String }
        let detail = (try? JSONDecoder().decode(Problem.self, from: body))?.detail ?? "the collector answered with status \(status)"
        Output.errorLine("farwatch: " + detail)
        return status == 404 ? Exit.notFound : status < 500 ? Exit.usage : Exit.unavailable
    }
}

/// What the collector said.
struct Answer {
    private let body: Data

    init(_ body: Data) { self.body = body }

    var text: String { String(decoding: body, as: UTF8.self) }

    func decoded<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
        do { return try JSONDecoder().decode(type, from: body) } catch {
            Output.errorLine("farwatch: the collector's answer cannot be read; is it of another version?")
            throw Exit.unavailable
        }
    }
}
