import Hummingbird

/// Keeps pages of other sites from changing anything through a reader's browser: a browser names the page's origin with every request that changes
/// something, and other clients name none.
struct SameOriginMiddleware<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        let isReading = [.get, .head, .options].contains(request.method)
        if !isReading, let origin = request.headers[.origin], !Self.isSame(origin, as: request.head.authority) {
            throw Problem(.forbidden, "a page of another site may not change anything here")
        }
        return try await next(request, context)
    }

    /// `http://host:port` against `host:port`.
    static func isSame(_ origin: String, as authority: String?) -> Bool {
        guard let authority, !authority.isEmpty else { return false }
        return origin == "http://" + authority || origin == "https://" + authority
    }
}
