import Foundation
import Glibc
import PostgresDriver
import ServerFixtures

/// A real server of a test's own, on a free port, in a scratch directory; it ends with this object, or with the process.
package final class PostgresServer: @unchecked Sendable {
    package struct NotStarted: Error, CustomStringConvertible {
        package let description: String
    }

    package let tier: PostgresTier
    package let port: Int
    /// Of everything: `data`, `log`.
    package let directory: String
    private let settings: [String]
    private let lock = NSLock()
    private var process: Process?
    private var input: Pipe?
    private var databases = 0

    /// - Parameters:
    ///   - access: the lines of `pg_hba.conf`; everyone may come without them.
    ///   - prepare: puts files into the directory before the server starts.
    package init(
        _ tier: PostgresTier = .plain, settings: [String] = [], access: [String] = [], prepare: (_ directory: String) throws -> Void = { _ in }
    ) throws {
        self.tier = tier
        self.settings = tier.settings + settings
        port = LoopbackPort.free()
        // Short, and where the server's user can go.
        directory = FileManager.default.temporaryDirectory.path + "/farwatch-postgres-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        // The test command's own scratch directory is its owner's alone; the server's user has to pass through it.
        chmod(FileManager.default.temporaryDirectory.path, 0o711)
        try prepare(directory)
        if !access.isEmpty { try (access.joined(separator: "\n") + "\n").write(toFile: directory + "/hba.conf", atomically: true, encoding: .utf8) }
        try start()
    }

    deinit {
        kill()
        try? FileManager.default.removeItem(atPath: directory)
    }

    // MARK: Life

    /// Starts it, after `kill` again with the same data.
    package func start() throws {
        let process = Process()
        // Other programs that this process starts must not hold it open.
        let input = Pipe()
        _ = fcntl(input.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        process.executableURL = URL(filePath: TestServers.folder + "/postgres")
        process.arguments = [tier.programs ?? "", directory, String(port)] + settings
        process.standardInput = input
        process.standardOutput = FileHandle.nullDevice
        let errors = directory + "/start.log"
        _ = FileManager.default.createFile(atPath: errors, contents: nil)
        process.standardError = FileHandle(forWritingAtPath: errors)
        try process.run()
        lock.withLock {
            self.process = process
            self.input = input
        }
        try waitUntilReady(process)
    }

    /// Ends it as a crash would: every connection breaks. Its data stay.
    package func kill() {
        guard let id = serverId else { return }
        signal(SIGQUIT, to: id)
        // One that was stopped hears of nothing else.
        signalAll(SIGCONT)
        lock.withLock { process }?.waitUntilExit()
    }

    /// Stops every process of it where it stands: connections stay, and nobody answers.
    package func stop() { signalAll(SIGSTOP) }
    package func goOn() { signalAll(SIGCONT) }

    private func signalAll(_ number: Int32) {
        guard let first = serverId else { return }
        // Again for those that came while the others were being stopped.
        for _ in 0..<2 {
            let children = (try? String(contentsOfFile: "/proc/\(first)/task/\(first)/children", encoding: .utf8)) ?? ""
            for id in [first] + children.split(separator: " ").compactMap({ Int32($0) }) { signal(number, to: id) }
        }
    }

    /// The first line of postmaster.pid is the server's process.
    private var serverId: Int32? {
        let text = (try? String(contentsOfFile: directory + "/data/postmaster.pid", encoding: .utf8)) ?? ""
        return text.split(whereSeparator: \.isNewline).first.flatMap { Int32($0) }
    }

    /// Sends a signal to a process of the server's.
    package func signal(_ number: Int32, to processId: Int32) { Glibc.kill(processId, number) }

    /// Copies the server's data for a standby of it.
    package func backUp(to path: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: (tier.programs ?? "") + "/pg_basebackup")
        process.arguments = [
            "-h", "127.0.0.1", "-p", String(port), "-U", "postgres", "-D", path, "--write-recovery-conf", "--no-sync", "--checkpoint=fast",
        ]
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw NotStarted(description: "pg_basebackup ended with \(process.terminationStatus)") }
    }

    package var log: String { (try? String(contentsOfFile: directory + "/log", encoding: .utf8)) ?? "" }

    private func waitUntilReady(_ process: Process) throws {
        var last: PostgresError?
        for _ in 0..<6_000 {
            guard process.isRunning else { break }
            do { return try PostgresConnection(options()).check() } catch { last = error }
            // It answers, and has something against us: that is for the test to find out.
            if last?.reason == .authentication || last?.reason == .tls { return }
            usleep(50_000)
        }
        throw NotStarted(description: "\(tier): \(last.map(String.init(describing:)) ?? "ended") \(log.suffix(500))")
    }

    // MARK: Coming in

    package func options(database: String = "postgres", user: String = "postgres", _ more: String = "") throws(PostgresError) -> PostgresOptions {
        try PostgresOptions("host=127.0.0.1 port=\(port) dbname=\(database) user=\(user) " + more)
    }

    package func connect(database: String = "postgres") throws(PostgresError) -> PostgresConnection {
        try PostgresConnection(options(database: database))
    }

    /// Makes an empty database for one test, and says how to come to it.
    package func makeDatabase() throws -> PostgresOptions {
        let name = lock.withLock {
            databases += 1
            return "test_\(databases)"
        }
        try connect().execute("CREATE DATABASE " + name)
        return try options(database: name)
    }
}

/// One server a kind for all tests that do not harm it.
package enum SharedPostgres {
    private static let plain = Result { try PostgresServer(.plain) }
    private static let apache = Result { try PostgresServer(.apache) }
    private static let community = Result { try PostgresServer(.community) }

    package static func server(_ tier: PostgresTier = .plain) throws -> PostgresServer {
        switch tier {
        case .plain: try plain.get()
        case .apache: try apache.get()
        case .community: try community.get()
        }
    }
}
