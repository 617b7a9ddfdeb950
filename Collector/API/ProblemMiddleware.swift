import Hummingbird
import Logging
import ServiceSupport

/// Makes every error a problem document, so that a client never has to guess: our own, the framework's, and those of stores.
struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let problem as Problem {
            return problem.response
        } catch let error as StoreError {
            return Self.problem(error, context.logger).response
        } catch is CancellationError {
            throw CancellationError()
        } catch let error as any HTTPResponseError {
            return Self.problem(error, request).response
        } catch {
            context.logger.error("a request failed", metadata: ["error": "\(error)"])
            return Problem(.internalServerError, "the collector failed to answer; its log says why").response
        }
    }

    private static func problem(_ error: StoreError, _ logger: Logger) -> Problem {
        if error.reason == .tooMuch { return Problem(.badRequest, "the answer would be too large: \(error.detail); ask for less at once") }
        // The error names files, which are nobody's business but the log's.
        logger.error("a store failed", metadata: ["error": "\(error)"])
        return Problem(.serviceUnavailable, "a store is unavailable")
    }

    private static func problem(_ error: any HTTPResponseError, _ request: Request) -> Problem {
        if error.status == .notFound { return Problem(.notFound, "there is nothing at \(request.uri.path.prefix(200))") }
        return Problem(error.status, (error as? HTTPError)?.body ?? error.status.reasonPhrase)
    }
}
