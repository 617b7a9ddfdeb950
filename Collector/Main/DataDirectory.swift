import DocumentStores
import LinuxDriver
import ServiceSupport
import Settings
import TimeSeriesStores

/// The embedded stores of a data directory, which any number of collectors share. Only one at a time opens them, since opening may change their
/// schema, and a schema is not changed under another collector's feet.
struct DataDirectory {
    /// How long to wait while another collector opens the directory.
    private static let attemptsMax = 100
    private static let attemptInterval: Duration = .milliseconds(100)

    /// Nil when samples are kept elsewhere.
    let store: EmbeddedTimeSeriesStore?
    /// The same of documents.
    let documents: EmbeddedDocumentStore?
    private let lock: FileLock

    static func open(_ directory: String, hasSamples: Bool, hasDocuments: Bool) async throws -> DataDirectory {
        for _ in 0..<attemptsMax {
            if let directory = try attempt(directory, hasSamples, hasDocuments) { return directory }
            try await Task.sleep(for: attemptInterval)
        }
        throw CollectorError.inUse(directory)
    }

    /// Nil while another collector opens it.
    private static func attempt(_ directory: String, _ hasSamples: Bool, _ hasDocuments: Bool) throws -> DataDirectory? {
        let path = directory + "/collector.lock"
        let alone: FileLock?
        let lock: FileLock
        do throws(SystemError) {
            try SmallFile.makeDirectories(directory, mode: 0o750)
            alone = try FileLock(path)
            if let alone {
                lock = alone
            } else {
                guard let shared = try FileLock(path, isShared: true) else { return nil }
                lock = shared
            }
        } catch {
            throw StoreError(.notWritable, operation: "open the data directory", path: directory, detail: error.description)
        }
        // Others that run already have brought the schema to where they know it; another one is told apart, not changed.
        let access: EmbeddedDatabase.Schema = alone == nil ? .asItIs : .migrated
        let opened = DataDirectory(
            store: hasSamples ? try EmbeddedTimeSeriesStore(directory: directory, schema: access) : nil,
            documents: hasDocuments ? try EmbeddedDocumentStore(directory: directory, schema: access) : nil, lock: lock)
        alone?.share()
        return opened
    }
}
