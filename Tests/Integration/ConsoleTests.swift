import Foundation
import Testing

extension Integration {
    /// The console in a real browser.
    @Suite(.enabled(if: Programs.chromeDriver != nil && Programs.chromium != nil, "chromium or chromedriver is not installed"))
    struct ConsoleTests {
        /// Opens the page, runs the test, closes the browser whatever happens.
        private func withBrowser(
            _ stage: Stage, size: (width: Int, height: Int) = (1280, 900), _ body: (WebDriver) async throws -> Void
        ) async throws {
            let browser = try await WebDriver(directory: stage.directory, size: size)
            do {
                try await body(browser)
                await browser.quit()
            } catch {
                await browser.quit()
                throw error
            }
        }

        private func texts(of selectors: [String], in browser: WebDriver) async throws -> [String?] {
            var texts: [String?] = []
            for selector in selectors { texts.append(try await browser.text(selector)) }
            return texts
        }

        private func row(_ id: String) -> String { "tr[data-device=\"\(id)\"]" }

        @Test func `the fleet page sees a device come online, its values change, and it go offline`() async throws {
            let stage = try Stage()
            try stage.startBroker()
            try stage.startCollector()
            try await stage.waitForCollector()
            try await withBrowser(stage) { browser in
                try await browser.open("http://127.0.0.1:\(stage.httpPort)/")
                try await stage.wait("the empty fleet says what to do") {
                    try await browser.run("const e = document.querySelector('#empty'); return e && !e.hidden") as? Bool == true
                }
                try stage.startAgent()
                try await stage.wait("the device comes online by itself") {
                    try await browser.count(row("edge-1") + "[data-status=online]") == 1
                }
                let cell = row("edge-1") + " [data-field=cpu_usage]"
                try await stage.wait("a value is shown") { try await browser.text(cell)?.contains("%") == true }
                // Of all three cells one changes: a machine that tests keep busy is at 100 % of its CPU for long.
                let cells = ["cpu_usage", "memory_usage", "network_latency"].map { row("edge-1") + " [data-field=\($0)]" }
                let first = try await texts(of: cells, in: browser)
                try await stage.wait("the values change") { try await texts(of: cells, in: browser) != first }
                stage.agent?.kill()
                try await stage.wait("the device goes offline", seconds: 60) {
                    try await browser.count(row("edge-1") + "[data-status=offline]") == 1
                }
                #expect(try await browser.errors() == [])
            }
        }

        @Test(
            .enabled(if: FileManager.default.fileExists(atPath: "/usr/share/javascript/dygraphs/dygraph.min.js"), "libjs-dygraphs is not installed"))
        func `the device page draws charts that move, and lists certificates`() async throws {
            let stage = try Stage()
            try stage.startBroker()
            try stage.startCollector()
            try await stage.waitForCollector()
            try stage.startAgent("certificates: {paths: [/etc/ssl/certs/ca-certificates.crt]}")
            try await stage.wait("certificates came") { try await stage.device("edge-1")?["worst_certificate"] is [String: Any] }
            try await withBrowser(stage) { browser in
                try await browser.open("http://127.0.0.1:\(stage.httpPort)/devices/edge-1")
                for chart in ["cpu_usage", "memory_usage", "network_latency"] {
                    try await stage.wait("the chart of \(chart) is drawn") { try await browser.count("[data-chart=\(chart)] canvas") > 0 }
                }
                try await stage.wait("certificates are listed") { try await browser.count("tr[data-certificate]") > 10 }
                #expect(try await browser.errors() == [])
            }
        }

        @Test func `the fleet page fits a phone`() async throws {
            let stage = try Stage()
            try stage.startBroker()
            try stage.startCollector()
            try await stage.waitForCollector()
            try stage.startAgent()
            try await stage.wait("the device is online") { try await stage.device("edge-1")?["status"] as? String == "online" }
            try await withBrowser(stage, size: (500, 800)) { browser in
                try await browser.open("http://127.0.0.1:\(stage.httpPort)/")
                try await stage.wait("the row is there") { try await browser.count(row("edge-1")) == 1 }
                let overflow = try await browser.run("return document.documentElement.scrollWidth - window.innerWidth") as? Int
                #expect((overflow ?? 1) <= 0)
            }
        }
    }
}
