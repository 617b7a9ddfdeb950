import CertificateFixtures
import Foundation
import Testing

extension Integration {
    /// Certificates from a device's files to the operator and the console.
    @Suite struct CertificateTests {
        private let workshop: CertificateWorkshop
        private let stage: Stage

        init() throws {
            workshop = try CertificateWorkshop()
            stage = try Stage()
        }

        /// An authority, and a leaf of it that ends in some days.
        private func issue(_ name: String, days: Double) throws {
            try workshop.issue(name, subject: "/CN=pump", by: "ca", alternativeNames: "DNS:pump.example", to: Self.date(days))
            try workshop.join([name + ".pem", "ca.pem"], as: "watched/pump.pem")
            try workshop.write("watched/pump.key", try workshop.bytes(name + ".key"))
        }

        private static func date(_ days: Double) -> String {
            let format = DateFormatter()
            format.locale = Locale(identifier: "en_US_POSIX")
            format.timeZone = TimeZone(identifier: "UTC")
            format.dateFormat = "yyyyMMddHHmmss'Z'"
            return format.string(from: Date(timeIntervalSinceNow: days * 86_400))
        }

        private func start() async throws {
            try workshop.issue("ca", subject: "/CN=Works CA", isAuthority: true, to: Self.date(200))
            try issue("one", days: 20)
            try stage.startBroker()
            try stage.startCollector()
            try await stage.waitForCollector()
            try stage.startAgent("certificates: {paths: [\(workshop.path("watched"))], trust: [\(workshop.path("ca.pem"))], interval: 1s}")
            try await stage.wait("the leaf came") { try await leaf() != nil }
        }

        private func certificates() async throws -> [[String: Any]] {
            try await stage.json("/v1/certificates")["certificates"] as? [[String: Any]] ?? []
        }

        private func leaf() async throws -> String? { try await certificates().first { $0["role"] as? String == "leaf" }?["id"] as? String }

        private func farwatch(_ arguments: String...) throws -> (code: Int32, output: String) {
            try RunningProcess.run(
                Programs.operatorCommand, ["certificates"] + arguments, environment: ["FARWATCH_COLLECTOR": "http://127.0.0.1:\(stage.httpPort)"])
        }

        @Test func `a renewal is told, and what ends with the authority, at the command line`() async throws {
            try await start()
            let first = try #require(try await leaf())
            try issue("two", days: 150)
            try await stage.wait("the renewed one came", seconds: 120) { try await leaf().map { $0 != first } ?? false }
            let second = try #require(try await leaf())
            try await stage.wait("the first one is history", seconds: 120) {
                let history = try await stage.json("/v1/certificates/" + first)["history"] as? [[String: Any]]
                return history?.first?["replaced_by"] as? String == second
            }
            let show = try farwatch("show", second)
            #expect(show.code == 0 && show.output.contains("Works CA") && show.output.contains("pump.example"), "\(show.output)")
            #expect(try farwatch("list", "--expires-within", "160").output.contains(second))
            #expect(try farwatch("list", "--expires-within", "30").output == "There is no such certificate.\n")
            let negative = try farwatch("list", "--expires-within", "-5")
            #expect(negative.code == 64 && negative.output.contains("--expires-within is a number of days"), "\(negative.output)")
            let word = try #require(try await certificates().first { $0["id"] as? String == second }?["status"] as? String)
            #expect(try farwatch("list", "--status", word).output.contains(second) && farwatch("list", "--status", "fine").code == 64)
            #expect(try farwatch("list", "--validity", "ok").output.contains(second))
            try workshop.issue("late", subject: "/CN=late", by: "ca", alternativeNames: "DNS:late.example", to: Self.date(300))
            try workshop.join(["late.pem", "ca.pem"], as: "watched/late.pem")
            try await stage.wait("what outlives its issuer is told under the issuer's end, with its name", seconds: 120) {
                let lines = try farwatch("calendar", "--days", "250").output.split(separator: "\n").filter { $0.contains("late.pem") }
                return lines.contains { $0.contains("CN=late") && $0.contains("issuer ends: CN=Works CA") }
            }
            let calendar = try farwatch("calendar", "--days", "300")
            #expect(
                calendar.code == 0 && calendar.output.contains(Self.date(150).prefix(4)) && calendar.output.contains("edge-1"), "\(calendar.output)")
            let authority = try #require(try await certificates().first { $0["is_authority"] as? Bool == true }?["id"] as? String)
            let radius = try farwatch("blast-radius", authority)
            #expect(radius.code == 0 && radius.output.contains("Works CA"), "\(radius.output)")
            #expect(radius.output.contains("ends before it does") && radius.output.contains(second), "\(radius.output)")
            #expect(try farwatch("keys").output == "Each key is on one device.\n")
            let good = try farwatch(
                "validate", workshop.path("watched/pump.pem"), "--trust", "given", "--profile", "device", "--hostname", "pump.example")
            #expect(good.output.contains("trusted"), "\(good.output)")
            let bad = try farwatch("validate", workshop.path("watched/pump.pem"), "--at", "2045-01-01")
            #expect(bad.code == 1 && bad.output.contains("expired"), "\(bad.output)")
            #expect(try farwatch("validate", "/nowhere").code == 66)
            #expect(try farwatch("show", "x").code == 64)
            #expect(try farwatch("show", String(repeating: "0", count: 64)).code == 66)
        }

        @Test func `a private key on two devices is critical without a certificate on either, until one of them is rid of it`() async throws {
            try stage.startBroker()
            try stage.startCollector()
            try await stage.waitForCollector()
            try workshop.issue("one")
            var agents: [RunningProcess] = []
            defer { withExtendedLifetime(agents) {} }
            for name in ["edge-a", "edge-b"] {
                try workshop.write(name + "/backup.key", try workshop.bytes("one.key"))
                let text = """
                    device: {id: \(name)}
                    broker: {host: 127.0.0.1, port: \(stage.brokerPort)}
                    buffer: {path: \(stage.directory)/\(name)/buffer.sqlite, seal_age: 1s}
                    status: {socket: \(stage.directory)/\(name).sock}
                    certificates: {paths: [\(workshop.path(name))], interval: 1s}
                    """
                try workshop.write(name + ".yaml", Array(text.utf8))
                agents.append(
                    try RunningProcess(
                        Programs.agent, ["run", "--config", workshop.path(name + ".yaml")], logPath: stage.directory + "/\(name).log"))
            }
            try await stage.wait("both have told of it", seconds: 120) { try farwatch("keys").code == 1 }
            let told = try farwatch("keys")
            #expect(told.output.contains("critical") && told.output.contains("edge-a,edge-b"), "\(told.output)")
            if Programs.chromeDriver != nil, Programs.chromium != nil { try await seeSharedKey() }
            try FileManager.default.removeItem(atPath: workshop.path("edge-b/backup.key"))
            try await stage.wait("it is one device's again", seconds: 120) { try farwatch("keys").output == "Each key is on one device.\n" }
        }

        /// In the console.
        private func seeSharedKey() async throws {
            let browser = try await WebDriver(directory: stage.directory, size: (1280, 900))
            do {
                try await browser.open("http://127.0.0.1:\(stage.httpPort)/certificates")
                try await stage.wait("the key is shown") { try await browser.count("#shared-keys tr[data-severity=critical] a") == 2 }
                #expect(try await browser.errors() == [])
                await browser.quit()
            } catch {
                await browser.quit()
                throw error
            }
        }

        /// A filter and a picked week hold together, whichever came first; the week that is picked has the authority alone.
        private func filterWeek(_ browser: WebDriver) async throws {
            func filter(_ finding: String) async throws {
                let set =
                    "const f = document.querySelector('#finding-filter'); f.value = '\(finding)'; f.dispatchEvent(new Event('change')); return 1"
                _ = try await browser.run(set)
            }
            func pick(soon: Bool) async throws {
                _ = try await browser.run("document.querySelector('#timeline .week[data-soon=\(soon)]').dispatchEvent(new Event('click')); return 1")
            }
            try await filter("expiring")
            try await stage.wait("the filter holds in the week") { try await browser.count("tr[data-certificate]") == 0 }
            try await pick(soon: true)
            try await stage.wait("the week of the filter's certificate lists it") { try await browser.count("tr[data-certificate]") == 1 }
            try await filter("weak_key")
            try await stage.wait("another finding has none") { try await browser.count("tr[data-certificate]") == 0 }
            try await filter("")
            try await stage.wait("without a filter it is listed again") { try await browser.count("tr[data-certificate]") == 1 }
        }

        @Test(.enabled(if: Programs.chromeDriver != nil && Programs.chromium != nil, "chromium or chromedriver is not installed"))
        func `the console lists certificates, draws what ends when, and shows one with its chain and fixes`() async throws {
            try await start()
            let id = try #require(try await leaf())
            let browser = try await WebDriver(directory: stage.directory, size: (1280, 900))
            do {
                try await browser.open("http://127.0.0.1:\(stage.httpPort)/certificates")
                try await stage.wait("it is listed") { try await browser.count("tr[data-certificate=\"\(id)\"]") == 1 }
                try await stage.wait("two weeks have a bar") { try await browser.count("#timeline .week") == 2 }
                #expect(try await browser.count("#timeline .week[data-soon=true]") == 1)
                _ = try await browser.run("document.querySelector('#timeline .week[data-soon=false]').dispatchEvent(new Event('click')); return 1")
                try await stage.wait("the week's certificate alone is listed") { try await browser.count("tr[data-certificate=\"\(id)\"]") == 0 }
                #expect(try await browser.count("tr[data-certificate]") == 1)
                try await filterWeek(browser)
                try await browser.open("http://127.0.0.1:\(stage.httpPort)/certificates/\(id)")
                try await stage.wait("its chain is shown") { try await browser.count("#chain li[data-issuer]") == 1 }
                #expect(try await browser.text("#chain")?.contains("Works CA") == true)
                #expect(try await browser.count("#places tr[data-certificate]") == 1)
                try await stage.wait("what is wrong and what to do is shown") { try await browser.count("#findings [data-finding] .fix") > 0 }
                #expect(try await browser.errors() == [])
                await browser.quit()
            } catch {
                await browser.quit()
                throw error
            }
        }
    }
}
