import PostgresDriver
import Synchronization

extension TimescaleStore {
    /// Told how far a migration is that goes part by part while samples are written.
    package typealias PartLog = @Sendable (PartMigrator.Progress) -> Void

    /// How often it is looked for parts that are missing.
    private static let partsInterval: Duration = .seconds(60)
    /// How often it is looked whether the store can be used.
    private static let idleInterval: Duration = .seconds(2)

    /// Who tells people what goes part by part; set before `run`.
    package func tell(parts: @escaping PartLog) { state.withLock { $0.partLog = parts } }

    /// Does what migrations change in tables with rows, as long as it takes, while samples are written.
    func migrateParts() async {
        while !Task.isCancelled {
            guard plan != nil, unavailableReason == nil else {
                try? await Task.sleep(for: Self.idleInterval)
                continue
            }
            do throws(PostgresError) { try await migrateMissingParts() } catch {
                upkeepFailed(Upkeep.Failure(step: "do what is missing of the parts of tables", error: error))
            }
            try? await Task.sleep(for: Self.partsInterval)
        }
    }

    private func migrateMissingParts() async throws(PostgresError) {
        let missing = try await readers.run { (connection) throws(PostgresError) in try Migrator(connection).plan().missing }
        guard missing.contains(where: { $0.isByParts }) else { return }
        let log = state.withLock { $0.partLog }
        _ = try await PostgresSession.run(options.partMigration, threadName: "postgres-parts") { (connection) throws(PostgresError) in
            try PartMigrator(connection).run(rewrites: false) { log?($0) }
        }
    }
}
