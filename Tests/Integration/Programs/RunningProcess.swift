import Foundation

/// A process that a test started: its output goes to a file, and it ends with its owner at the latest.
final class RunningProcess {
    private let process = Process()
    let logPath: String

    /// - Parameter errorsPath: where what it writes to its standard error goes; nil for `logPath` too.
    init(
        _ executable: String, _ arguments: [String], environment: [String: String] = [:], logPath: String, errorsPath: String? = nil
    ) throws {
        self.logPath = logPath
        let log = try Self.openToAppend(logPath)
        process.executableURL = URL(filePath: executable)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("FARWATCH_") }.merging(environment) { $1 }
        process.standardOutput = log
        process.standardError = try errorsPath.map(Self.openToAppend) ?? log
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    deinit { kill() }

    private static func openToAppend(_ path: String) throws -> FileHandle {
        if !FileManager.default.fileExists(atPath: path) { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.seekToEnd()
        return file
    }

    var isRunning: Bool { process.isRunning }
    var id: Int32 { process.processIdentifier }
    var log: String { (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? "" }

    /// SIGKILL, and waits for the end.
    func kill() {
        guard process.isRunning else { return }
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// SIGTERM, and the exit code.
    @discardableResult
    func terminate() -> Int32 {
        if process.isRunning { Foundation.kill(process.processIdentifier, SIGTERM) }
        return waitForExit()
    }

    func signal(_ number: Int32) { Foundation.kill(process.processIdentifier, number) }

    /// The exit code; negative the number of the signal that ended it.
    func waitForExit() -> Int32 {
        process.waitUntilExit()
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    /// Runs a program to its end: exit code and all that it printed.
    static func run(_ executable: String, _ arguments: [String], environment: [String: String] = [:]) throws -> (code: Int32, output: String) {
        let path = FileManager.default.temporaryDirectory.appending(path: "output-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let process = try RunningProcess(executable, arguments, environment: environment, logPath: path)
        return (process.waitForExit(), process.log)
    }

    /// Runs a program whose standard output is for programs: what it logs beside, on a busy machine perhaps that something was slow, is apart.
    static func answer(
        of executable: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> (code: Int32, output: String, errors: String) {
        let path = FileManager.default.temporaryDirectory.appending(path: "output-\(UUID().uuidString)").path
        let errorsPath = path + "-errors"
        defer { for path in [path, errorsPath] { try? FileManager.default.removeItem(atPath: path) } }
        let process = try RunningProcess(executable, arguments, environment: environment, logPath: path, errorsPath: errorsPath)
        let code = process.waitForExit()
        return (code, process.log, (try? String(contentsOfFile: errorsPath, encoding: .utf8)) ?? "")
    }
}
