import Foundation

/// The kinds of server that there are, and where tests get them.
package enum RedisMake: String, Sendable, CaseIterable, CustomStringConvertible {
    /// Debian's Redis.
    case redis
    /// Valkey, where there is one; `FARWATCH_TEST_VALKEY` may name its program.
    case valkey

    package var description: String { rawValue }

    /// Those that can be started here.
    package static let available = allCases.filter { $0.missing == nil }

    package var program: String? {
        switch self {
        case .redis: Self.redisFound
        case .valkey: Self.valkeyFound
        }
    }

    /// Why there is none; nil when there is.
    package var missing: String? {
        guard program == nil else { return nil }
        return switch self {
        case .redis: "there is no redis-server (package redis-server)"
        case .valkey: "there is no valkey-server, and FARWATCH_TEST_VALKEY names none"
        }
    }

    private static let redisFound = find("redis-server")
    private static let valkeyFound =
        ProcessInfo.processInfo.environment["FARWATCH_TEST_VALKEY"].flatMap { isProgram($0) ? $0 : nil } ?? find("valkey-server")

    private static func find(_ name: String) -> String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":").map(String.init) + ["/usr/bin"]
        return folders.map { $0 + "/" + name }.first(where: isProgram)
    }

    private static func isProgram(_ path: String) -> Bool { FileManager.default.isExecutableFile(atPath: path) }
}
