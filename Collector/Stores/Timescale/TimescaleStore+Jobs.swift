import PostgresDriver

extension TimescaleStore {
    /// How often it is looked for jobs of the server that failed.
    private static let jobsInterval: Duration = .seconds(300)
    /// How often it is looked whether the store can be used.
    private static let idleInterval: Duration = .seconds(2)

    /// Does what the server's own workers could not.
    func runFailedJobs() async {
        while !Task.isCancelled {
            guard let plan, unavailableReason == nil else {
                try? await Task.sleep(for: Self.idleInterval)
                continue
            }
            if plan.tier == .community {
                do throws(PostgresError) {
                    let failed = try await readers.run { (connection) throws(PostgresError) in try FailedJobs(connection).look() }
                    if !failed.isEmpty { try await runThem() }
                } catch { upkeepFailed(Upkeep.Failure(step: "run the server's failed jobs", error: error)) }
            }
            try? await Task.sleep(for: Self.jobsInterval)
        }
    }

    private func runThem() async throws(PostgresError) {
        let failures = try await PostgresSession.run(options.partMigration, threadName: "postgres-jobs") { (connection) throws(PostgresError) in
            try FailedJobs(connection).run()
        }
        for failure in failures { upkeepFailed(failure) }
    }
}
