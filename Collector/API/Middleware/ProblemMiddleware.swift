import Hummingbird
import LinuxDriver
import Logging
import ServiceSupport
import Synchronization

/// Makes every error a problem document, so that a client never has to guess: our own, the framework's, and those of stores.
struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    private let known: KnownRoutes
    private let failures = Failures()

    /// Shared by all requests.
    private final class Failures: Sendable {
        let pace = Mutex(FailurePace())
    }

    init(_ known: KnownRoutes) { self.known = known }

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let problem as Problem {
            return problem.response
        } catch let error as StoreError {
            return problem(error, context.logger).response
        } catch is CancellationError {
            throw CancellationError()
        } catch let error as any HTTPResponseError {
            return response(to: request, error)
        } catch {
            context.logger.error("a request failed", metadata: ["error": "\(error)"])
            return Problem(.internalServerError, "the collector failed to answer; its log says why").response
        }
    }

    private func problem(_ error: StoreError, _ logger: Logger) -> Problem {
        if error.reason == .tooMuch { return Problem(.badRequest, "the answer would be too large: \(error.detail); ask for less at once") }
        // The error names files, which are nobody's business but the log's.
        if let untold = failures.pace.withLock({ $0.failed(error.reason, at: Clock.system.boot()) }) {
            logger.error("a store failed", metadata: ["error": "\(error)", "requests_not_told": "\(untold)"])
        }
        return Problem(.serviceUnavailable, "a store is unavailable")
    }

    private func response(to request: Request, _ error: any HTTPResponseError) -> Response {
        guard error.status == .notFound else { return Problem(error.status, (error as? HTTPError)?.body ?? error.status.reasonPhrase).response }
        let methods = Set(known.methods(at: request.uri.path).map { $0.rawValue }).sorted()
        guard !methods.isEmpty, !methods.contains(request.method.rawValue) else {
            return Problem(.notFound, "there is nothing at \(request.uri.path.prefix(200))").response
        }
        let allowed = methods.joined(separator: ", ")
        var response = Problem(.methodNotAllowed, "this takes \(allowed)").response
        response.headers[.allow] = allowed
        return response
    }
}
