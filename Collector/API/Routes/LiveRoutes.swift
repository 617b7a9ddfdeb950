import CollectorIngest
import Hummingbird
import ServiceLifecycle
import Synchronization
import Telemetry

/// `/v1/live`: server-sent events with the devices that changed, at most once a second. A follower that reads slowly holds up nobody: what it
/// has not been told yet is asked for when it can take more.
struct LiveRoutes<Context: RequestContext>: Sendable {
    /// Followers at once; each holds a connection.
    static var subscribersMax: Int { 256 }
    /// Seconds without an event after which a comment shows that the connection lives.
    static var keepAliveSeconds: Int { 15 }
    /// Milliseconds that the browser waits before it connects again.
    private static var reconnectMilliseconds: Int { 2_000 }

    let fleet: FleetView
    let changes: LiveChanges
    let subscribers: SubscriberCount
    /// Between two looks for changes.
    var interval: Duration = .seconds(1)

    func add(to router: Router<Context>) {
        router.get("v1/live") { request, _ in
            try request.takes()
            return try follow()
        }
    }

    private func follow() throws(Problem) -> Response {
        guard let place = subscribers.take(max: Self.subscribersMax) else {
            throw Problem(.serviceUnavailable, "\(Self.subscribersMax) clients follow already")
        }
        var headers = HTTPFields()
        headers[.contentType] = "text/event-stream"
        headers[.cacheControl] = "no-store"
        let body = ResponseBody { writer in
            // The place is given back when the response is gone, written or not.
            defer { withExtendedLifetime(place) {} }
            try await write(to: &writer)
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    @concurrent private func write(to writer: inout any ResponseBodyWriter) async throws {
        var number = changes.number
        let all = try await fleet.json().text
        try await writer.write(ByteBuffer(string: "retry: \(Self.reconnectMilliseconds)\n" + Self.event(all)))
        var silentSince = ContinuousClock.now
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            _ = try? await cancelWhenGracefulShutdown { [interval] in try await Task.sleep(for: interval) }
            let changed = changes.devices(after: number)
            number = changed.number
            let update = changed.devices.isEmpty ? nil : try await fleet.json(of: changed.devices)
            if let update, update.count > 0 {
                try await writer.write(ByteBuffer(string: Self.event(update.text)))
            } else if ContinuousClock.now - silentSince >= .seconds(Self.keepAliveSeconds) {
                try await writer.write(ByteBuffer(string: ": keep-alive\n\n"))
            } else {
                continue
            }
            silentSince = ContinuousClock.now
        }
    }

    /// JSON has no raw line breaks, so one `data` line holds it.
    private static func event(_ devices: String) -> String { "event: devices\ndata: {\"devices\":" + devices + "}\n\n" }
}

/// How many follow the live stream.
package final class SubscriberCount: Sendable {
    private let count = Mutex(0)

    package init() {}

    package var current: Int { count.withLock { $0 } }

    /// A place that is given back when it is released; nil when there is none.
    func take(max: Int) -> Place? {
        let isTaken = count.withLock { count in
            guard count < max else { return false }
            count += 1
            return true
        }
        return isTaken ? Place(self) : nil
    }

    final class Place: Sendable {
        private let count: SubscriberCount

        fileprivate init(_ count: SubscriberCount) { self.count = count }

        deinit { count.count.withLock { $0 -= 1 } }
    }
}
