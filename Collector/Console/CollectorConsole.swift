import Hummingbird

/// The web console: one page for every view, and the files it loads. All data comes from the API.
package struct CollectorConsole: Sendable {
    package static let chartDirectoryDefault = "/usr/share/javascript/dygraphs"

    private let charts: ChartLibrary

    package init(chartDirectory: String = chartDirectoryDefault) { charts = ChartLibrary(directory: chartDirectory) }

    package func addRoutes(to router: Router<some RequestContext>) {
        router.get("/") { request, _ in Self.response(ConsoleAssets.page, to: request) }
        for path in ["devices/{id}", "certificates", "certificates/{id}"] {
            router.get(RouterPath(path)) { request, _ in Self.response(ConsoleAssets.page, to: request) }
        }
        router.get("assets/{name}") { request, context in
            guard let name = context.parameters.get("name"), let asset = ConsoleAssets.files[name] ?? charts.asset(name) else {
                throw HTTPError(.notFound)
            }
            return Self.response(asset, to: request)
        }
    }

    /// The file, or word that the browser's copy is the same. `no-cache` lets it keep a copy and has it ask each time.
    private static func response(_ asset: ConsoleAsset, to request: Request) -> Response {
        var headers = HTTPFields()
        headers[.eTag] = asset.entityTag
        headers[.cacheControl] = "no-cache"
        if request.headers[values: .ifNoneMatch].contains(where: { $0.contains(asset.entityTag) }) {
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = asset.contentType
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: asset.bytes)))
    }
}
