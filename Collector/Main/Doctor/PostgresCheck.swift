import LinuxDriver
import PostgresDriver
import Settings
import TimescaleStores

/// The PostgreSQL server that keeps samples: whether it is reached, what it is, its schema, and how it does.
struct PostgresCheck: DoctorCheck {
    let options: TimescaleOptions

    func findings() async -> [DoctorFinding] {
        do throws(PostgresError) {
            let options = options
            return try await PostgresSession.run(options.server, threadName: "doctor") { (connection) throws(PostgresError) in
                try Self.look(connection, options)
            }
        } catch {
            return [.problem("postgres", "\(options.server): \(error.complaint)", PostgresRemedy.text(error.reason))]
        }
    }

    private static func look(_ connection: PostgresConnection, _ options: TimescaleOptions) throws(PostgresError) -> [DoctorFinding] {
        let plan = try Migrator(connection).plan()
        let version = connection.serverVersion
        let timescale = plan.extensionVersion.map { ", TimescaleDB " + $0 } ?? (plan.lacksExtension ? ", TimescaleDB" : "")
        let name = "PostgreSQL \(version / 10_000).\(version % 10_000)" + timescale
        var findings: [DoctorFinding] = [.ok("postgres", "\(options.server) is \(name), \(plan.tierText)")]
        if plan.lacksExtension { findings.append(PostgresFindings.missing(try ExtensionCheck.look(connection))) }
        findings += try writing(connection)
        let schema = try SchemaCheck(plan, connection)
        findings += PostgresFindings.schema(plan, schema)
        guard plan.unknown == nil else { return findings }
        // Tables are there with the first migration; what somebody has changed cannot be read as ours.
        if plan.missing.count < Migration.all.count, schema.differences.isEmpty {
            let health = try StoreHealth.look(plan.layout, connection)
            findings += PostgresFindings.tables(health, plan)
            findings.append(try aggregates(health, plan, options, connection))
            findings.append(PostgresFindings.indexes(health))
            findings.append(PostgresFindings.statements(health))
        }
        findings.append(try replication(connection))
        findings.append(try room(connection))
        return findings
    }

    private static func aggregates(
        _ health: StoreHealth, _ plan: Migrator.Plan, _ options: TimescaleOptions, _ connection: PostgresConnection
    ) throws(PostgresError) -> DoctorFinding {
        guard plan.tier == .community else {
            return .ok("postgres roll-ups", "kept by the collector: the tier \(plan.tier?.rawValue ?? "") has no continuous aggregates")
        }
        let table = AggregateTable(connection)
        return PostgresFindings.aggregates(
            health, missing: try table.isSupported ? table.missing().map { $0.name } : nil, isWanted: options.continuousAggregates,
            at: Clock.system.wall())
    }

    private static func writing(_ connection: PostgresConnection) throws(PostgresError) -> [DoctorFinding] {
        guard let refusal = try StoreHealth.refusal(connection) else { return [] }
        return [.problem("postgres writing", refusal, PostgresRemedy.text(.readOnly) + ", or allow writing")]
    }

    private static func replication(_ connection: PostgresConnection) throws(PostgresError) -> DoctorFinding {
        let row = try connection.query("SELECT count(*), max(extract(epoch FROM replay_lag))::float8 FROM pg_stat_replication")[0]
        return PostgresFindings.replication(standbys: try row.decode(at: 0), lag: try row.decodeIfPresent(at: 1))
    }

    /// SQL does not tell how much room a server has; its directory does where it is on this machine.
    private static func room(_ connection: PostgresConnection) throws(PostgresError) -> DoctorFinding {
        let row = try connection.query(
            """
            SELECT pg_database_size(current_database()), (SELECT setting FROM pg_settings WHERE name = 'data_directory'),
                inet_server_addr() IS NULL OR inet_server_addr() <<= inet '127.0.0.0/8' OR inet_server_addr() = inet '::1'
            """)[0]
        let directory = try row.decode(Bool.self, at: 2) ? try row.decodeIfPresent(String.self, at: 1) : nil
        let space = directory.flatMap { FileSystemSpace.ofDirectory(Array($0.utf8)) }
        return PostgresFindings.room(databaseBytes: try row.decode(at: 0), available: space?.available)
    }
}
