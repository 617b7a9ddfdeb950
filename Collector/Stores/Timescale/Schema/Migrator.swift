import PostgresDriver
import ServiceSupport

/// Brings a database's schema to where this program knows it; any number of collectors may try at once. On one connection, in steps that may be
/// repeated.
package struct Migrator {
    /// "FARW": who migrates holds this advisory lock.
    private static let lock: Int64 = 0x4641_5257

    private let connection: PostgresConnection

    package init(_ connection: PostgresConnection) { self.connection = connection }

    /// What a server is, and what its schema lacks.
    package struct Plan: Sendable {
        /// Nil while TimescaleDB is not in the database yet: which edition it has shows then.
        package let tier: ServerTier?
        package let layout: TableLayout
        /// TimescaleDB's version; nil for PostgreSQL alone.
        package let extensionVersion: String?
        package let missing: [Migration]
        /// The first migration that this program does not know.
        package let unknown: Int?

        /// TimescaleDB has to be added to the database.
        package var lacksExtension: Bool { layout == .hypertables && extensionVersion == nil }
        /// For people.
        package var tierText: String { tier.map { "tier " + $0.rawValue } ?? "its tier shows when the extension is in the database" }
    }

    // MARK: Looking

    /// Changes nothing.
    package func plan() throws(PostgresError) -> Plan {
        let server = try look()
        let hasTables = try connection.query("SELECT to_regclass('farwatch_migrations') IS NOT NULL").value(Bool.self) == true
        var applied: Set<Int> = []
        var layout: TableLayout?
        if hasTables {
            for row in try connection.query("SELECT version FROM farwatch_migrations") { applied.insert(try row.decode(at: 0)) }
            layout = try connection.query("SELECT value FROM farwatch_schema WHERE name = 'layout'").value(String.self).flatMap(TableLayout.init)
        }
        let decided = layout ?? (server.canPart ? .hypertables : .partitions)
        return Plan(
            tier: Self.tier(server, decided), layout: decided, extensionVersion: decided == .partitions ? nil : server.version,
            missing: Migration.missing(after: applied) ?? [], unknown: applied.filter { $0 > Migration.newest }.min())
    }

    private struct Server {
        let version: String?
        let license: String?
        /// TimescaleDB is there, or can be.
        let canPart: Bool
    }

    private static func tier(_ server: Server, _ layout: TableLayout) -> ServerTier? {
        if layout == .partitions { return .plain }
        return server.version == nil ? nil : server.license == "timescale" ? .community : .apache
    }

    private func look() throws(PostgresError) -> Server {
        // The loader's setting tells that the library is preloaded; the edition's own come with the extension.
        let row = try connection.query(
            """
            SELECT (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'), current_setting('timescaledb.license', true),
                EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')
                    AND current_setting('timescaledb.max_background_workers', true) IS NOT NULL,
                current_setting('server_encoding')
            """)[0]
        let encoding = try row.decode(String.self, at: 3)
        guard encoding == "UTF8" else {
            throw PostgresError(.configuration, operation: "look at the database", detail: "its encoding is \(encoding); UTF8 is needed")
        }
        let version = try row.decodeIfPresent(String.self, at: 0)
        let isAvailable = try row.decode(Bool.self, at: 2)
        return Server(version: version, license: try row.decodeIfPresent(at: 1), canPart: version != nil || isAvailable)
    }

    // MARK: Changing

    /// Applies what is missing, but for changes of parts that may have rows, which `PartMigrator` sees to, and says what was found.
    /// A lock that is not to be had in time is an error worth trying again.
    package func migrate() throws(PostgresError) -> Plan {
        try connection.run("SELECT pg_advisory_lock($1)", [.integer(Self.lock)])
        return try migrateLocked()
    }

    /// The same; nil when another collector is at it, which is not waited for.
    package func migrateIfFree() throws(PostgresError) -> Plan? {
        guard try connection.query("SELECT pg_try_advisory_lock($1)", [.integer(Self.lock)]).value(Bool.self) == true else { return nil }
        return try migrateLocked()
    }

    private func migrateLocked() throws(PostgresError) -> Plan {
        defer { _ = try? connection.run("SELECT pg_advisory_unlock($1)", [.integer(Self.lock)]) }
        if let refusal = try SchemaCheck(try plan(), connection).refusal { throw Self.refused(refusal) }
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS farwatch_migrations (
                version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
            );
            CREATE TABLE IF NOT EXISTS farwatch_schema (name text PRIMARY KEY, value text NOT NULL)
            """)
        var plan = try plan()
        guard plan.unknown == nil else { return plan }
        if plan.lacksExtension {
            try addExtension()
            plan = try self.plan()
        }
        for migration in plan.missing where !migration.isByParts { try apply(migration, plan.layout) }
        // Empty tables have theirs at once.
        if plan.missing.count == Migration.all.count { _ = try PartMigrator(connection).run() }
        return plan
    }

    private static func refused(_ reason: String) -> PostgresError {
        PostgresError(.configuration, operation: "use the database", detail: reason + "; give it an empty database, or a schema of its own")
    }

    private func addExtension() throws(PostgresError) {
        do throws(PostgresError) { try connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb") } catch {
            guard error.reason == .permission else { throw error }
            throw PostgresError(
                .permission, operation: "add TimescaleDB to the database", sqlState: error.sqlState,
                detail: "this role may not; " + ExtensionCheck.remedy)
        }
    }

    private func apply(_ migration: Migration, _ layout: TableLayout) throws(PostgresError) {
        try connection.transaction { (connection) throws(PostgresError) in
            for statement in migration.statements(layout) { try connection.execute(statement) }
            try connection.run(
                "INSERT INTO farwatch_migrations (version, name) VALUES ($1, $2)", [.integer(Int64(migration.version)), .text(migration.name)])
            try connection.run(
                "INSERT INTO farwatch_schema (name, value) VALUES ('layout', $1) ON CONFLICT (name) DO NOTHING", [.text(layout.rawValue)])
        }
    }
}
