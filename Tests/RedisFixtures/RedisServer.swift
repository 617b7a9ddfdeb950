import Foundation
import Glibc
import RedisDriver
import ServerFixtures

/// A real server of a test's own, on a free port, in a scratch directory; it ends with this object, or with the process.
package final class RedisServer: @unchecked Sendable {
    package struct NotStarted: Error, CustomStringConvertible {
        package let description: String
    }

    package let make: RedisMake
    package let port: Int
    /// Of everything: data, `log`, `socket`.
    package let directory: String
    private let settings: [String]
    private let lock = NSLock()
    private var process: Process?
    private var input: Pipe?

    /// - Parameters:
    ///   - settings: as the server's command line has them, e.g. `--maxmemory 10mb`.
    ///   - users: the lines of the ACL file; everyone may come without them.
    package init(_ make: RedisMake = .redis, settings: [String] = [], users: [String] = []) throws {
        self.make = make
        self.settings = settings
        port = LoopbackPort.free()
        directory = FileManager.default.temporaryDirectory.path + "/farwatch-redis-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        if !users.isEmpty { try (users.joined(separator: "\n") + "\n").write(toFile: directory + "/users.acl", atomically: true, encoding: .utf8) }
        try start()
    }

    deinit {
        kill()
        try? FileManager.default.removeItem(atPath: directory)
    }

    package var socket: String { directory + "/socket" }
    package var log: String { (try? String(contentsOfFile: directory + "/log", encoding: .utf8)) ?? "" }
    package var uri: String { "redis://127.0.0.1:\(port)" }

    // MARK: Life

    /// Starts it, after `kill` again with what it has saved.
    package func start() throws {
        let process = Process()
        // Other programs that this process starts must not hold it open.
        let input = Pipe()
        _ = fcntl(input.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        try? FileManager.default.removeItem(atPath: directory + "/pid")
        process.executableURL = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Servers/redis")
        process.arguments = [make.program ?? "", directory, String(port)] + settings
        process.standardInput = input
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        lock.withLock {
            self.process = process
            self.input = input
        }
        try waitUntilReady(process)
    }

    /// Ends it as a crash would: every connection breaks, and what was not saved is gone.
    package func kill() {
        guard let process = lock.withLock({ process }), process.isRunning else { return }
        signal(SIGKILL)
        process.waitUntilExit()
    }

    /// Stops it and lets it go on: it takes connections and answers nothing meanwhile.
    package func pause() { signal(SIGSTOP) }
    package func resume() { signal(SIGCONT) }

    private func signal(_ number: Int32) {
        let text = (try? String(contentsOfFile: directory + "/pid", encoding: .utf8)) ?? ""
        if let id = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)) { Glibc.kill(id, number) }
    }

    private func waitUntilReady(_ process: Process) throws {
        var last: RedisError?
        for _ in 0..<600 {
            guard process.isRunning else { break }
            do throws(RedisError) {
                _ = try RedisConnection(options)
                return
            } catch { last = error }
            // It answers, and has something against us: that is for the test to find out.
            if last?.reason == .authentication || last?.reason == .permission { return }
            usleep(20_000)
        }
        throw NotStarted(description: "\(make): \(last.map(String.init(describing:)) ?? "ended") \(log.suffix(500))")
    }

    // MARK: Coming in

    /// With time-outs for a machine that is busy.
    package var options: RedisOptions {
        var options = RedisOptions(.tcp(host: "127.0.0.1", port: port))
        options.connectTimeout = .seconds(20)
        options.commandTimeout = .seconds(20)
        return options
    }

    package func connect() throws(RedisError) -> RedisConnection { try RedisConnection(options) }

    /// Runs a command given as words.
    @discardableResult
    package func run(_ words: String...) throws(RedisError) -> RedisValue {
        try connect().run(RedisCommand(words[0], words.dropFirst().map { Array($0.utf8) }))
    }

    /// Its keys that match a pattern.
    package func keys(_ pattern: String = "*") throws(RedisError) -> [String] {
        try run("KEYS", pattern).array?.compactMap(\.text).sorted() ?? []
    }
}

/// One server for all tests that do not harm it; each test uses keys of its own.
package enum SharedRedis {
    private static let redis = Result { try RedisServer(.redis) }
    private static let valkey = Result { try RedisServer(.valkey) }

    package static func server(_ make: RedisMake = .redis) throws -> RedisServer {
        switch make {
        case .redis: try redis.get()
        case .valkey: try valkey.get()
        }
    }
}
