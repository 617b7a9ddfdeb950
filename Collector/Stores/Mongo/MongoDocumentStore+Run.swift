import LinuxDriver
import MongoDriver

extension MongoDocumentStore {
    /// How often the server has to take a write, and how often while there is none.
    private static let checkInterval: Duration = .seconds(2)
    private static let retryInterval: Duration = .milliseconds(250)

    /// How long the primary's first word is waited for: longer than one is looked for (`MongoOptions.selectionTimeout`), as the end of that tells why
    /// there is none.
    private static let reachMax: Duration = .seconds(10)

    /// How often it is looked whether collections, indexes and rules are as they should be, in checks; that somebody dropped the database shows at once.
    private static let setupChecks = 15

    /// Keeps the store until the task is cancelled.
    /// - Parameter advise: told what had better be otherwise in the settings, once.
    package func run(advise: @Sendable (String) -> Void = { _ in }) async {
        var advised: String?
        var checks = 0
        while !Task.isCancelled {
            checks += 1
            if isFailed || checks % Self.setupChecks == 0 { await prepare() } else { await check() }
            if let advice = server.flatMap(options.advice), advice != advised {
                advise(advice)
                advised = advice
            }
            try? await Task.sleep(for: isFailed ? Self.retryInterval : Self.checkInterval)
        }
        await pool.close()
    }

    /// Sets the database up, also after the server was away: it may have been another one's, or set back.
    private func prepare() async {
        do throws(MongoError) {
            // The set-up's own work may take its time; a primary that stands still is not to be waited for with it.
            try await pool.run(within: Self.reachMax) { (client) throws(MongoError) in try client.ping() }
            let kept = options.eventsKept
            let plan = try await pool.run { (client) throws(MongoError) in try MongoSetup(client, eventsKept: kept).apply() }
            if let unknown = plan.unknown { throw MongoSetup.newer(unknown) }
            try await probe()
            prepared(plan.server)
        } catch { if !Task.isCancelled { failed(error.description) } }
    }

    /// Documents are there when a majority takes a small write in time: a primary whose others stand still answers every ping.
    private func probe() async throws(MongoError) {
        try await pool.run(within: options.answerMax) { (client) throws(MongoError) in try MongoSetup.probe(client) }
    }

    private func check() async {
        do throws(MongoError) {
            let isSetUp = try await pool.run(within: options.answerMax) { (client) throws(MongoError) in
                try MongoSetup.probe(client)
                return try MongoSetup.isMarked(client)
            }
            if !isSetUp { await prepare() }
        } catch {
            // A pool whose clients are all at work says nothing of the server.
            if !Task.isCancelled, error.reason != .poolExhausted { failed(error.description) }
        }
    }
}

extension MongoSetup {
    package static func newer(_ version: Int64) -> MongoError {
        MongoError(
            .configuration, operation: "use the database",
            detail: "it was set up by a newer Farwatch (version \(version), this program knows \(Self.version))")
    }
}
