import Hummingbird
import ServiceSupport
import Telemetry

/// Something the collector needs to do its work.
package struct ReadinessCheck: Sendable {
    package let name: String
    /// Why it is unavailable; nil when it is not.
    package let reason: @Sendable () async -> String?
    /// What it is, for people; nil where there is nothing to tell.
    package let detail: @Sendable () -> String?

    package init(_ name: String, detail: @escaping @Sendable () -> String? = { nil }, reason: @escaping @Sendable () async -> String?) {
        self.name = name
        self.detail = detail
        self.reason = reason
    }
}

/// `/livez` (the process answers), `/readyz` (what it needs is there), `/metrics`.
struct HealthRoutes<Context: RequestContext>: Sendable {
    let checks: [ReadinessCheck]
    let registry: MetricsRegistry

    func add(to router: Router<Context>) {
        router.get("livez") { _, _ in Response.json { $0.string("status", "ok") } }
        router.get("readyz") { _, _ in await ready() }
        router.get("metrics") { _, _ in Response.text(registry.render(), type: "text/plain; version=0.0.4; charset=utf-8") }
    }

    private func ready() async -> Response {
        var reasons: [(name: String, reason: String?)] = []
        for check in checks { reasons.append((check.name, await check.reason())) }
        let isReady = reasons.allSatisfy { $0.reason == nil }
        var response = Response.json { object in
            object.string("status", isReady ? "ok" : "unavailable")
            object.object("checks") { object in for check in reasons { object.string(check.name, check.reason ?? "ok") } }
            let details = checks.compactMap { check in check.detail().map { (check.name, $0) } }
            if !details.isEmpty { object.object("details") { object in for (name, detail) in details { object.string(name, detail) } } }
        }
        response.status = isReady ? .ok : .serviceUnavailable
        return response
    }
}
