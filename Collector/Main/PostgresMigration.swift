import LinuxDriver
import PostgresDriver
import TimescaleStores

/// `migrate` of PostgreSQL: what is missing, or what was done, a line each.
struct PostgresMigration {
    /// Another collector may be migrating, or at the parts of tables: how often it is looked whether it is done.
    private static let waitInterval: Duration = .seconds(2)

    let options: TimescaleOptions
    let isPlan: Bool

    func run() async throws(PostgresError) {
        isPlan ? try await plan() : try await migrate()
    }

    /// What to do about an error: for a role without rights the statements that give them, as far as they can be known.
    func remedy(_ error: PostgresError) async -> String {
        let general = PostgresRemedy.text(error.reason)
        guard error.reason == .permission else { return general }
        do throws(PostgresError) {
            return try await PostgresSession.run(options.server) { (connection) throws(PostgresError) in
                let plan = try Migrator(connection).plan()
                var advice = try SchemaCheck(plan, connection).grants
                if plan.lacksExtension, try ExtensionCheck.look(connection) == .roleMayNot { advice.append(ExtensionCheck.remedy) }
                return advice.isEmpty ? general : advice.joined(separator: "; ")
            }
        } catch { return general }
    }

    private func plan() async throws(PostgresError) {
        let (plan, parts) = try await PostgresSession.run(options.migration) { (connection) throws(PostgresError) in
            let plan = try Migrator(connection).plan()
            // Without the tables there is nothing to look at.
            let isNew = plan.missing.count == Migration.all.count
            return (plan, isNew ? [] : try PartMigrator(connection).look(plan.missing))
        }
        try report(plan)
        for one in parts {
            Output.line("  \(one.change): \(one.parts - one.done) of \(one.parts) parts lack it; done while samples are taken")
        }
        if plan.tier == nil, options.continuousAggregates {
            Output.line("missing continuous aggregates, if the extension is of the community edition")
        }
        for name in try await aggregates(plan) { Output.line("missing continuous aggregate \(name): filled by the server while samples are taken") }
    }

    /// The continuous aggregates that are not there and will be.
    private func aggregates(_ plan: Migrator.Plan) async throws(PostgresError) -> [String] {
        guard plan.tier == .community, options.continuousAggregates else { return [] }
        return try await PostgresSession.run(options.migration) { (connection) throws(PostgresError) in
            let table = AggregateTable(connection)
            return try table.isSupported ? table.missing().map { $0.name } : []
        }
    }

    private func makeAggregates() async throws(PostgresError) {
        let options = options
        let (made, failures) = try await PostgresSession.run(options.migration) { (connection) throws(PostgresError) in
            try AggregateUpkeep(plan: Migrator(connection).plan(), options: options).make(connection)
        }
        for name in made { Output.line("made the continuous aggregate \(name)") }
        if let failure = failures.first { throw failure.error }
    }

    private func migrate() async throws(PostgresError) {
        var isWaiting = false
        while true {
            let plan = try await PostgresSession.run(options.migration) { (connection) throws(PostgresError) in
                try Migrator(connection).migrateIfFree()
            }
            if let plan {
                try report(plan)
                break
            }
            if !isWaiting { Output.line("another collector is migrating; waiting for it") }
            isWaiting = true
            do { try await Task.sleep(for: Self.waitInterval) } catch _ { return }
        }
        isWaiting = false
        while try await partsAreMissing(), try await !migrateParts() {
            if !isWaiting { Output.line("another collector is migrating the parts of tables; waiting for it") }
            isWaiting = true
            do { try await Task.sleep(for: Self.waitInterval) } catch _ { return }
        }
        try await makeAggregates()
    }

    private func partsAreMissing() async throws(PostgresError) -> Bool {
        try await PostgresSession.run(options.migration) { (connection) throws(PostgresError) in
            try Migrator(connection).plan().missing.contains { $0.isByParts }
        }
    }

    private func migrateParts() async throws(PostgresError) -> Bool {
        try await PostgresSession.run(options.partMigration) { (connection) throws(PostgresError) in
            try PartMigrator(connection).run { Output.line("  \($0.change): \($0.done) of \($0.parts) parts") }
        }
    }

    private func report(_ found: Migrator.Plan) throws(PostgresError) {
        if let unknown = found.unknown {
            throw PostgresError(
                .configuration, operation: "migrate",
                detail: "the schema has version \(unknown), this program knows \(Migration.newest): it was written by a newer Farwatch")
        }
        let server = found.extensionVersion.map { "TimescaleDB " + $0 } ?? (found.layout == .hypertables ? "TimescaleDB" : "PostgreSQL alone")
        Output.line("\(server), \(found.tierText), \(found.layout.rawValue)")
        for migration in found.missing { Output.line("\(verb(migration, found)) \(migration.version): \(migration.name)") }
        if found.missing.isEmpty { Output.line("nothing is missing") }
    }

    private func verb(_ migration: Migration, _ found: Migrator.Plan) -> String {
        if isPlan { return "missing" }
        return migration.isByParts && found.missing.count < Migration.all.count ? "doing" : "applied"
    }
}
