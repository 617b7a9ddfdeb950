import PostgresDriver
import Synchronization

extension TimescaleStore {
    /// Told how far the indexes are that are built while samples are written.
    package typealias IndexLog = @Sendable (IndexBuild.Progress) -> Void

    /// How often it is looked for indexes that are missing.
    private static let indexInterval: Duration = .seconds(60)
    /// How often it is looked whether the store can be used.
    private static let idleInterval: Duration = .seconds(2)

    /// Who tells people that indexes are built; set before `run`.
    package func tell(indexes: @escaping IndexLog) { state.withLock { $0.indexLog = indexes } }

    /// Builds the indexes that migrations have added to tables with rows, as long as it takes, while samples are written.
    func buildIndexes() async {
        while !Task.isCancelled {
            guard plan != nil, unavailableReason == nil else {
                try? await Task.sleep(for: Self.idleInterval)
                continue
            }
            do throws(PostgresError) { try await buildMissingIndexes() } catch {
                upkeepFailed(Upkeep.Failure(step: "build the indexes that are missing", error: error))
            }
            try? await Task.sleep(for: Self.indexInterval)
        }
    }

    private func buildMissingIndexes() async throws(PostgresError) {
        let missing = try await readers.run { (connection) throws(PostgresError) in try Migrator(connection).plan().missing }
        guard missing.contains(where: { $0.isBuiltApart }) else { return }
        let log = state.withLock { $0.indexLog }
        _ = try await PostgresSession.run(options.indexBuild, threadName: "postgres-index") { (connection) throws(PostgresError) in
            try IndexBuild(connection).run { log?($0) }
        }
    }
}
