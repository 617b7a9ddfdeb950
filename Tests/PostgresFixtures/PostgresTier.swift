import Foundation

/// The kinds of server that there are, and where tests get them.
package enum PostgresTier: String, Sendable, CaseIterable, CustomStringConvertible {
    /// Debian's PostgreSQL.
    case plain
    /// TimescaleDB's Apache-2 edition, from a later Debian, unpacked by `Tests/Servers/timescaledb`.
    case apache
    /// TimescaleDB under its own licence, which no package has: `FARWATCH_TEST_POSTGRES_COMMUNITY` names the folder of a server's programs that has it.
    case community

    package var description: String { rawValue }

    /// Those that can be started here.
    package static let available = allCases.filter { $0.missing == nil }

    /// The folder of initdb and postgres.
    package var programs: String? { found.programs }

    /// Why there is none; nil when there is.
    package var missing: String? { found.missing }

    /// Whether there can be a standby of it.
    package var hasBackup: Bool { programs.map { FileManager.default.isExecutableFile(atPath: $0 + "/pg_basebackup") } ?? false }

    /// Settings that the server needs.
    var settings: [String] { self != .plain ? ["shared_preload_libraries=timescaledb", "timescaledb.telemetry_level=off"] : [] }

    private typealias Found = (programs: String?, missing: String?)

    private var found: Found {
        switch self {
        case .plain: Self.plainFound
        case .apache: Self.apacheFound
        case .community: Self.communityFound
        }
    }

    private static let communityFound: Found = {
        let name = "FARWATCH_TEST_POSTGRES_COMMUNITY"
        guard let folder = ProcessInfo.processInfo.environment[name], !folder.isEmpty else { return (nil, name + " names no server's programs") }
        guard FileManager.default.isExecutableFile(atPath: folder + "/postgres") else { return (nil, "there is no " + folder + "/postgres") }
        return (folder, nil)
    }()

    private static let plainFound: Found = {
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        let newest = versions.compactMap(Int.init).sorted().last { FileManager.default.isExecutableFile(atPath: "\(root)/\($0)/bin/postgres") }
        guard let newest else { return (nil, "there is no PostgreSQL server in \(root) (package postgresql-15)") }
        return ("\(root)/\(newest)/bin", nil)
    }()

    private static let apacheFound: Found = {
        let process = Process()
        process.executableURL = URL(filePath: TestServers.folder + "/timescaledb")
        let output = Pipe()
        let errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        do { try process.run() } catch { return (nil, "Tests/Servers/timescaledb: \(error)") }
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let complaint = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            return (nil, complaint.split(whereSeparator: \.isNewline).last.map(String.init) ?? "Tests/Servers/timescaledb failed")
        }
        return (said.trimmingCharacters(in: .whitespacesAndNewlines), nil)
    }()
}

/// The scripts that get and run servers.
enum TestServers {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Servers").path
}
