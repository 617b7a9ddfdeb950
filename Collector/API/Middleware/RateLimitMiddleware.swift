import CacheStores
import Glibc
import Hummingbird
import NIOCore
import ServiceSupport

/// How many questions a client may ask.
package struct RequestLimit: Sendable {
    package static let window: Duration = .seconds(60)
    package static let countMax = RateLimit.countMax

    let limit: RateLimit
    /// A proxy in front of the collector is on loopback, and so is who has the machine: both are to limit themselves.
    let exemptsLoopback: Bool

    package init(perMinute count: Int, exemptsLoopback: Bool = true) {
        limit = RateLimit(count, within: Self.window)
        self.exemptsLoopback = exemptsLoopback
    }
}

/// Refuses the questions to `/v1` of a client that has asked too many within the last minute. All collectors on one Redis count together; without
/// it each counts by itself.
struct RateLimitMiddleware<Context: RemoteAddressRequestContext>: RouterMiddleware {
    let cache: any Cache
    let limit: RequestLimit
    private let refused: Counter

    init(_ limit: RequestLimit, cache: any Cache, in registry: MetricsRegistry) {
        self.limit = limit
        self.cache = cache
        refused = registry.counter("farwatch_http_limited_total", "Requests refused because their client had sent too many.")
    }

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard request.uri.path.hasPrefix("/v1/"), let client = client(context) else { return try await next(request, context) }
        let admission = await cache.admit(CacheKey(.rateLimit, "http:" + client), limit.limit)
        guard !admission.isAdmitted else { return try await next(request, context) }
        refused.add()
        let seconds = max(1, Int((admission.retryAfter / .seconds(1)).rounded(.up)))
        var response = Problem(
            .tooManyRequests, "more than \(limit.limit.count) requests within a minute came from your address; try again in \(seconds) s"
        ).response
        response.headers[.retryAfter] = String(seconds)
        return response
    }

    private func client(_ context: Context) -> String? {
        guard let address = context.remoteAddress.flatMap(ClientAddress.init) else { return nil }
        return limit.exemptsLoopback && address.isLoopback ? nil : address.text
    }
}

/// By what clients are told apart: an address of IPv4, or of IPv6 the 64 bits of its network, within which a client has as many as it likes.
package struct ClientAddress: Equatable {
    package let text: String
    package let isLoopback: Bool

    /// Nil for what has no address: a Unix socket.
    package init?(_ address: SocketAddress) {
        guard let written = address.ipAddress else { return nil }
        // inet_pton(3) writes the 4 or 16 bytes of the address.
        var four = [UInt8](repeating: 0, count: 4)
        var six = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, written, &four) == 1 {
            self.init(four: four)
        } else if inet_pton(AF_INET6, written, &six) == 1 {
            // ::ffff:192.0.2.1 is 192.0.2.1 at a socket that takes both.
            let isMapped = six.starts(with: [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF])
            if isMapped { self.init(four: Array(six[12...])) } else { self.init(six: six) }
        } else {
            return nil
        }
    }

    private init(four bytes: [UInt8]) {
        text = bytes.map { String($0) }.joined(separator: ".")
        isLoopback = bytes.first == 127
    }

    private init(six bytes: [UInt8]) {
        text = bytes[..<8].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "/64"
        isLoopback = bytes == [UInt8](repeating: 0, count: 15) + [1]
    }
}
