import Foundation
import Glibc
import ServerFixtures

/// A mongod of a test's own, on a free port, in a scratch directory; it ends with this object, or with the process.
package final class MongoNode: @unchecked Sendable {
    package struct NotStarted: Error, CustomStringConvertible {
        package let description: String
    }

    package let port: Int
    /// Of everything: `data`, `log`.
    package let directory: String
    private let options: [String]
    private let lock = NSLock()
    private var process: Process?
    private var input: Pipe?

    /// - Parameter prepare: puts files into the directory before the server starts.
    package init(_ options: [String] = [], prepare: (_ directory: String) throws -> [String] = { _ in [] }) throws {
        port = LoopbackPort.free()
        directory = FileManager.default.temporaryDirectory.path + "/farwatch-mongo-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        self.options = options + (try prepare(directory))
        try start()
    }

    deinit {
        kill()
        try? FileManager.default.removeItem(atPath: directory)
    }

    package var address: String { "127.0.0.1:\(port)" }

    /// Starts it, after `kill` again with the same data; it listens when this returns.
    package func start() throws {
        guard let program = MongoProgram.path else { throw NotStarted(description: MongoProgram.missing ?? "there is no mongod") }
        let process = Process()
        // Other programs that this process starts must not hold it open.
        let input = Pipe()
        _ = fcntl(input.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        process.executableURL = URL(filePath: MongoProgram.folder + "/mongo")
        process.arguments = [program, directory, String(port)] + options
        process.standardInput = input
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        lock.withLock {
            self.process = process
            self.input = input
        }
        for _ in 0..<6_000 {
            guard process.isRunning else { break }
            if isListening { return }
            usleep(20_000)
        }
        throw NotStarted(description: "mongod ended or does not listen: \(log.suffix(600))")
    }

    /// Ends it as a crash would: every connection breaks. Its data stay.
    package func kill() {
        signal(SIGKILL)
        lock.withLock { process }?.waitUntilExit()
    }

    /// Sends a signal to the server: SIGSTOP makes it one that does not answer.
    package func signal(_ number: Int32) {
        let text = (try? String(contentsOfFile: directory + "/pid", encoding: .utf8)) ?? ""
        guard let id = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)), lock.withLock({ process })?.isRunning == true else { return }
        Glibc.kill(id, number)
        if number == SIGSTOP { waitUntilStopped(id) }
    }

    /// Its threads stop one after the other, and one of them may still answer.
    private func waitUntilStopped(_ id: Int32) {
        let threads = "/proc/\(id)/task"
        for _ in 0..<500 {
            let isStopped = ((try? FileManager.default.contentsOfDirectory(atPath: threads)) ?? []).allSatisfy { thread in
                // proc(5): the state follows the command, which stands in parentheses.
                let stat = (try? String(contentsOfFile: threads + "/" + thread + "/stat", encoding: .utf8)) ?? ""
                return stat.isEmpty || stat.split(separator: ")").last?.hasPrefix(" T") == true
            }
            if isStopped { return }
            usleep(10_000)
        }
    }

    package var log: String { (try? String(contentsOfFile: directory + "/log", encoding: .utf8)) ?? "" }

    private var isListening: Bool {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        return Self.withAddress(port) { connect(socket, $0, $1) } == 0
    }

    private static func withAddress<Value>(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}
