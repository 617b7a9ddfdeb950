import Foundation
import ServerFixtures
import Testing

/// A headless Chromium, driven through chromedriver by the WebDriver protocol (W3C Recommendation "WebDriver").
final class WebDriver {
    private let driver: RunningProcess
    private let port = LoopbackPort.free()
    private let directory: String
    private var session = ""

    /// - Parameter size: the window, in CSS pixels.
    init(directory: String, size: (width: Int, height: Int) = (1280, 900)) async throws {
        self.directory = directory + "/chromium-\(UUID().uuidString.prefix(6))"
        driver = try RunningProcess(try #require(Programs.chromeDriver), ["--port=\(port)"], logPath: directory + "/chromedriver.log")
        let end = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < end, (try? await call("GET", "/status")) == nil { try await Task.sleep(for: .milliseconds(100)) }
        let arguments = [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--disable-dev-shm-usage",
            "--user-data-dir=\(self.directory)", "--window-size=\(size.width),\(size.height)",
        ]
        let capabilities: [String: Any] = [
            "capabilities": [
                "alwaysMatch": [
                    "browserName": "chrome", "goog:chromeOptions": ["binary": Programs.chromium ?? "", "args": arguments],
                    "goog:loggingPrefs": ["browser": "ALL"],
                ]
            ]
        ]
        let value = try await call("POST", "/session", capabilities)
        session = try #require((value as? [String: Any])?["sessionId"] as? String)
    }

    func quit() async {
        _ = try? await call("DELETE", "/session/\(session)")
        // A child of a test's thread inherits its blocked signals, so chromedriver would not hear a SIGTERM.
        driver.kill()
    }

    func open(_ url: String) async throws { _ = try await call("POST", "/session/\(session)/url", ["url": url]) }

    /// What a script returns.
    func run(_ script: String) async throws -> Any {
        try await call("POST", "/session/\(session)/execute/sync", ["script": script, "args": [String]()])
    }

    func text(_ selector: String) async throws -> String? {
        try await run("const e = document.querySelector(`\(selector)`); return e ? e.textContent : null") as? String
    }

    func count(_ selector: String) async throws -> Int {
        try await run("return document.querySelectorAll(`\(selector)`).length") as? Int ?? 0
    }

    /// What the page's console said that is an error.
    func errors() async throws -> [String] {
        let entries = try await call("POST", "/session/\(session)/se/log", ["type": "browser"]) as? [[String: Any]] ?? []
        return entries.filter { $0["level"] as? String == "SEVERE" }.compactMap { $0["message"] as? String }
    }

    func screenshot(to path: String) async throws {
        let value = try await call("GET", "/session/\(session)/screenshot") as? String
        try #require(value.flatMap { Data(base64Encoded: $0) }).write(to: URL(filePath: path))
    }

    private func call(_ method: String, _ path: String, _ body: [String: Any]? = nil) async throws -> Any {
        let content = try body.map { try JSONSerialization.data(withJSONObject: $0) } ?? Data()
        let head =
            "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nContent-Type: application/json\r\nContent-Length: \(content.count)\r\n\r\n"
        let answer = try exchange(Data(head.utf8) + content)
        guard answer.head.hasPrefix("HTTP/1.1 200"), let json = try JSONSerialization.jsonObject(with: answer.body) as? [String: Any] else {
            throw Failure(description: "\(method) \(path): \(answer.head.prefix(60)) \(String(decoding: answer.body.prefix(600), as: UTF8.self))")
        }
        return json["value"] ?? NSNull()
    }

    /// One request and its answer by a socket of its own: Foundation's client does not take chromedriver's header lines.
    private func exchange(_ request: Data) throws -> (head: String, body: Data) {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(fd) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var patience = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard connected == 0, request.withUnsafeBytes({ send(fd, $0.baseAddress, $0.count, 0) }) == request.count else {
            throw Failure(description: "chromedriver does not answer")
        }
        var received = Data()
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while true {
            if let end = received.range(of: Data("\r\n\r\n".utf8)) {
                let head = String(decoding: received[..<end.lowerBound], as: UTF8.self)
                let length = head.lowercased().components(separatedBy: "content-length:").dropFirst().first?
                    .split(whereSeparator: \.isNewline).first.flatMap { Int($0.trimmingCharacters(in: .whitespaces)) }
                let body = received[end.upperBound...]
                if let length, body.count >= length { return (head, Data(body.prefix(length))) }
            }
            let count = recv(fd, &bytes, bytes.count, 0)
            guard count > 0 else { throw Failure(description: "chromedriver broke off: \(String(decoding: received.prefix(200), as: UTF8.self))") }
            received += bytes[..<count]
        }
    }

    struct Failure: Error, CustomStringConvertible { let description: String }
}
