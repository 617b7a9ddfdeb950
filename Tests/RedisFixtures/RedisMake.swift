import Foundation

/// The kinds of server that there are, and where tests get them.
package enum RedisMake: String, Sendable, CaseIterable, CustomStringConvertible {
    /// Debian's Redis.
    case redis
    /// Valkey, which `Tests/Servers/valkey` finds or fetches.
    case valkey

    package var description: String { rawValue }

    /// Those that can be started here.
    package static let available = allCases.filter { $0.missing == nil }

    package var program: String? {
        switch self {
        case .redis: Self.redisFound
        case .valkey: Self.valkeyFound.program
        }
    }

    /// Why there is none; nil when there is.
    package var missing: String? {
        guard program == nil else { return nil }
        return switch self {
        case .redis: "there is no redis-server (package redis-server)"
        case .valkey: Self.valkeyFound.complaint
        }
    }

    private static let redisFound = find("redis-server")
    private static let valkeyFound: (program: String?, complaint: String) = {
        let process = Process()
        process.executableURL = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Servers/valkey")
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        do { try process.run() } catch { return (nil, "Tests/Servers/valkey: \(error)") }
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let complaint = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            return (nil, complaint.split(whereSeparator: \.isNewline).last.map(String.init) ?? "Tests/Servers/valkey failed")
        }
        return (said.trimmingCharacters(in: .whitespacesAndNewlines), "")
    }()

    private static func find(_ name: String) -> String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":").map(String.init) + ["/usr/bin"]
        return folders.map { $0 + "/" + name }.first(where: isProgram)
    }

    private static func isProgram(_ path: String) -> Bool { FileManager.default.isExecutableFile(atPath: path) }
}
