import LinuxDriver
import PostgresDriver
import ServiceSupport

extension TimescaleStore {
    /// Bounds of the pause after a schema that could not be brought up to date, in milliseconds.
    private static let retryBase: Int64 = 250
    private static let retryCap: Int64 = 5_000
    private static let checkInterval: Duration = .seconds(2)
    /// How long the server may take to say that it can be written, and to take back that it was asked. So it is told within ten seconds that one stands still.
    private static let checkAnswerMax: Duration = .seconds(5)
    private static let checkGrace: Duration = .seconds(1)
    /// How often it is looked at the tables' sizes.
    private static let sizesInterval: Duration = .seconds(60)
    /// How often it is looked for partitions that are due to be made or to go.
    private static let upkeepInterval: Duration = .seconds(600)

    /// Keeps the store until the task is cancelled.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.pool.run() }
            group.addTask { await self.readers.run() }
            group.addTask { await self.prepareAndKeep() }
            group.addTask { await self.watch() }
            group.addTask { await self.measure() }
            group.addTask { await self.migrateParts() }
            group.addTask { await self.runFailedJobs() }
        }
    }

    private func prepareAndKeep() async {
        while !Task.isCancelled {
            await prepareUntilDone()
            repeat {
                await keepUp()
                await waitForUpkeep()
            } while !Task.isCancelled && !isSchemaGone
        }
    }

    private func prepareUntilDone() async {
        var backoff = Backoff(base: Self.retryBase, cap: Self.retryCap)
        while !Task.isCancelled {
            do throws(PostgresError) {
                try await prepare()
                return
            } catch {
                failed(error.complaint)
                try? await Task.sleep(for: .milliseconds(backoff.next(random: Random.uint64())))
            }
        }
    }

    /// Shorter when the schema is to be made again: the database was replaced by an empty one.
    private func waitForUpkeep() async {
        let until = ContinuousClock.now + Self.upkeepInterval
        repeat { try? await Task.sleep(for: Self.checkInterval) } while !Task.isCancelled && !isSchemaGone && ContinuousClock.now < until
    }

    /// Brings the schema up to date.
    private func prepare() async throws(PostgresError) {
        let plan = try await PostgresSession.run(options.migration, threadName: "postgres-schema") { (connection) throws(PostgresError) in
            try Migrator(connection).migrate()
        }
        if let unknown = plan.unknown {
            throw PostgresError(
                .configuration, operation: "use the database",
                detail: "its schema has version \(unknown), this program knows \(Migration.newest): it was written by a newer Farwatch")
        }
        prepared(plan)
    }

    /// Makes the partitions of the days to come, and drops what is older than it is kept. Failures are told and are for the next time: ingestion makes
    /// what it needs.
    private func keepUp() async {
        guard let plan else { return }
        do throws(PostgresError) {
            let upkeep = Upkeep(plan: plan, options: options, now: Clock.system.wall())
            for failure in try await pool.run({ (connection) throws(PostgresError) in upkeep.run(connection) }) { upkeepFailed(failure) }
        } catch { upkeepFailed(Upkeep.Failure(step: "look after the tables", error: error)) }
    }

    // MARK: Health

    /// Says why the server cannot be used, also while nothing is to be written.
    private func watch() async {
        while !Task.isCancelled {
            if plan != nil { await check() }
            try? await Task.sleep(for: Self.checkInterval)
        }
    }

    private func check() async {
        // With few connections all may be at work, for a server that stands still: then the question has one of its own.
        let isBusy = pool.counts.idle == 0 && pool.counts.active > 0
        do throws(PostgresError) { checked(try await isBusy ? askApart() : pool.run(Self.refusal)) } catch {
            // That there is no connection more is not said against those that are at work.
            if !Task.isCancelled, error.reason != .poolExhausted, !isBusy || error.reason != .tooManyConnections { failed(error.complaint) }
        }
    }

    private func askApart() async throws(PostgresError) -> String? {
        var server = options.server
        server.connectTimeout = Self.checkAnswerMax
        return try await PostgresSession.run(server, threadName: "postgres-watch", Self.refusal)
    }

    private static func refusal(_ connection: PostgresConnection) throws(PostgresError) -> String? {
        try connection.hurried(answer: checkAnswerMax, grace: checkGrace) { (connection) throws(PostgresError) in
            try StoreHealth.refusal(connection)
        }
    }

    /// Looks at the tables' sizes, which takes longer the more there is. What fails is told by others.
    private func measure() async {
        while !Task.isCancelled {
            var isDone = false
            if let plan, unavailableReason == nil {
                isDone = true
                let health = try? await readers.run { (connection) throws(PostgresError) in try StoreHealth.look(plan.layout, connection) }
                if let health { found(health) }
            }
            try? await Task.sleep(for: isDone ? Self.sizesInterval : Self.checkInterval)
        }
    }
}
