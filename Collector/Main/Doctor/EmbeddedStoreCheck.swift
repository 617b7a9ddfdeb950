import DocumentStores
import LinuxDriver
import Settings
import TimeSeriesStores

/// The files of the embedded stores. Their first bytes are read and nothing is opened: SQLite makes files beside one that it opens, which would
/// belong to whoever asks.
struct EmbeddedStoreCheck: DoctorCheck {
    let directory: String
    let hasSamples: Bool
    let hasDocuments: Bool

    func findings() async -> [DoctorFinding] {
        var findings: [DoctorFinding] = []
        if hasSamples {
            findings.append(Self.look("samples", directory + "/" + EmbeddedTimeSeriesStore.file, newest: EmbeddedTimeSeriesStore.schemaVersion))
        }
        if hasDocuments {
            findings.append(Self.look("documents", directory + "/" + EmbeddedDocumentStore.file, newest: EmbeddedDocumentStore.schemaVersion))
        }
        return findings
    }

    private static func look(_ subject: String, _ path: String, newest: Int) -> DoctorFinding {
        guard SmallFile.exists(path) else { return .ok(subject, "embedded, \(path) is not there yet; serve makes it") }
        guard let file = ReadOnlyFile(path) else { return .problem(subject, "\(path) cannot be read", "run doctor as the collector's user") }
        return finding(subject, path, size: file.size, header: file.read(at: 0, count: headerBytes), newest: newest)
    }

    /// <https://www.sqlite.org/fileformat2.html#the_database_header>: "The user version" is 4 bytes at offset 60.
    private static let headerBytes = 100
    private static let magic = Array("SQLite format 3\0".utf8)

    static func finding(_ subject: String, _ path: String, size: Int64, header: [UInt8], newest: Int) -> DoctorFinding {
        let detail = "embedded, \(path)"
        // It has its first page when the log is first brought into it.
        if size == 0 { return .ok(subject, detail + " is new") }
        guard header.count == headerBytes, header.starts(with: magic) else {
            return .problem(subject, detail + " is no SQLite database", "put it back from a copy, or move it away to begin anew")
        }
        let version = header[60..<64].reduce(0) { $0 << 8 | Int($1) }
        // So is its schema, which a store that was opened has made.
        if version == 0 { return .ok(subject, detail + " is new") }
        guard version <= newest else {
            return .problem(subject, "\(detail) has schema \(version), this program knows up to \(newest)", "use the newer collector")
        }
        return .ok(subject, "\(detail), schema \(version), \(Amount.bytes(Double(size)))")
    }
}
