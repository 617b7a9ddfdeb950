import Foundation
import TimeSeriesStores

/// Where simulations run: a directory in memory where there is one, and real stores in it that many seeds share.
package final class SimulationStage {
    let directory: String
    /// A handle for each of two collectors on one store, as two processes have them.
    let stores: [EmbeddedTimeSeriesStore]
    /// For a canary: a store that shares nothing with the others.
    let separate: EmbeddedTimeSeriesStore

    package init() throws {
        let root = FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : FileManager.default.temporaryDirectory.path
        directory = root + "/farwatch-simulation-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        stores = try (0..<2).map { [directory] _ in try EmbeddedTimeSeriesStore(directory: directory + "/store") }
        separate = try EmbeddedTimeSeriesStore(directory: directory + "/separate")
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }
}
