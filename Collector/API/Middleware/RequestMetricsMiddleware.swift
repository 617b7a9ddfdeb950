import Hummingbird
import LinuxDriver
import ServiceSupport

/// Counts requests and their durations by route, never by path: paths are the client's, routes are ours.
struct RequestMetricsMiddleware<Context: RequestContext>: RouterMiddleware {
    private let requests: Counter
    private let duration: Histogram

    init(_ registry: MetricsRegistry) {
        requests = registry.counter(
            "farwatch_http_requests_total", "HTTP requests by method, route and status.", labels: ["method", "route", "status"])
        duration = registry.histogram("farwatch_http_request_duration_seconds", "Time to a response's head, by route.", labels: ["route"])
    }

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        let began = Clock.monotonicNanoseconds()
        let response = try await next(request, context)
        let route = context.endpointPath ?? "none"
        let method = [.get, .head, .post, .put, .delete, .patch, .options].contains(request.method) ? request.method.rawValue : "other"
        requests.add(1, method, route, String(response.status.code))
        duration.observe(Double(Clock.monotonicNanoseconds() - began) / 1e9, route)
        return response
    }
}
