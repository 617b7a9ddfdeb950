import CollectorFixtures
import Hummingbird
import HummingbirdTesting
import Testing

@Suite struct ConsoleTests {
    private let charts = ScratchDirectory()

    @Test(arguments: ["/", "/devices/edge-1", "/certificates", "/certificates/ab"])
    func `every view is the same page`(path: String) async throws {
        try await APIBench().application.test(.router) { client in
            try await client.execute(uri: path, method: .get) { response in
                #expect(response.status == .ok && response.headers[.contentType] == "text/html; charset=utf-8")
                #expect(String(buffer: response.body).lowercased().hasPrefix("<!doctype html>"))
                #expect(response.headers[.contentSecurityPolicy]?.contains("default-src 'self'") == true)
                #expect(response.headers[.contentSecurityPolicy]?.contains("frame-ancestors 'none'") == true)
                #expect(response.headers[.xContentTypeOptions] == "nosniff")
                #expect(response.headers[.init("Referrer-Policy")!] == "no-referrer")
            }
        }
    }

    @Test(arguments: [("main.js", "text/javascript; charset=utf-8"), ("console.css", "text/css; charset=utf-8"), ("favicon.svg", "image/svg+xml")])
    func `a file has its type, and is sent once as long as it is the same`(name: String, type: String) async throws {
        try await APIBench().application.test(.router) { client in
            let tag = try await client.execute(uri: "/assets/" + name, method: .get) { response in
                #expect(response.status == .ok && response.headers[.contentType] == type && response.headers[.cacheControl] == "no-cache")
                return try #require(response.headers[.eTag])
            }
            try await client.execute(uri: "/assets/" + name, method: .get, headers: [.ifNoneMatch: tag]) { response in
                #expect(response.status == .notModified && response.body.readableBytes == 0)
            }
        }
    }

    @Test func `the chart library is served when it is installed`() async throws {
        charts.write("dygraph.min.js", Array("chart()".utf8))
        charts.write("secret.js", [1])
        try await APIBench(chartDirectory: charts.path).application.test(.router) { client in
            try await client.execute(uri: "/assets/dygraph.min.js", method: .get) { #expect(String(buffer: $0.body) == "chart()") }
            for name in ["dygraph.min.css", "secret.js", "..%2fdygraph.min.js"] {
                try await client.execute(uri: "/assets/" + name, method: .get) { #expect($0.status == .notFound) }
            }
        }
    }
}
