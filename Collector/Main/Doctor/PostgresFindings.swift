import LinuxDriver
import Settings
import TimescaleStores

/// What is to be said of a database, by what was read of it. Values.
enum PostgresFindings {
    /// A standby further behind loses as much when it takes over.
    private static let lagAdvised = 10.0
    /// An index that nobody reads, and larger, slows writing down for nothing.
    private static let unusedBytes: Int64 = 64 << 20
    /// Parts of one table beyond which planning a query takes long.
    private static let partsAdvised: Int64 = 1_000

    static func schema(_ plan: Migrator.Plan, _ check: SchemaCheck) -> [DoctorFinding] {
        var findings: [DoctorFinding] = []
        let subject = "postgres schema"
        if !check.foreignTables.isEmpty {
            findings.append(
                .problem(
                    subject, "tables of another program have names of ours: " + check.foreignTables.joined(separator: ", "),
                    "give Farwatch a database of its own, or a schema by options=-csearch_path=… in timeseries.postgres.uri"))
        } else if !check.differences.isEmpty {
            findings.append(
                .problem(
                    subject, check.differences.joined(separator: ", "),
                    "undo what was changed in the tables, or give Farwatch an empty database"))
        } else {
            findings.append(versions(plan))
        }
        if !check.lackingRights.isEmpty {
            findings.append(
                .problem(
                    "postgres rights", check.lackingRights.joined(separator: "; "), check.grants.joined(separator: "; ")))
        }
        return findings
    }

    /// TimescaleDB is preloaded and not in the database.
    static func missing(_ check: ExtensionCheck) -> DoctorFinding {
        let subject = "postgres extension"
        let detail = "TimescaleDB is not in the database yet"
        switch check {
        case .mayBeAdded: return .advice(subject, detail, "serve adds it at its start, farwatch-collector migrate does now")
        case .roleMayNot: return .problem(subject, detail + ", and this role may not add it", ExtensionCheck.remedy)
        case .missing:
            return .problem(subject, detail + ", and the server has it no more", "install TimescaleDB on the server, its tables need it")
        }
    }

    private static func versions(_ plan: Migrator.Plan) -> DoctorFinding {
        let subject = "postgres schema"
        if let unknown = plan.unknown {
            return .problem(subject, "it has version \(unknown), this program knows \(Migration.newest)", "use the newer collector")
        }
        guard !plan.missing.isEmpty else { return .ok(subject, "version \(Migration.newest), \(plan.layout.rawValue)") }
        let versions = plan.missing.map { String($0.version) }.joined(separator: ", ")
        if plan.missing.allSatisfy({ $0.isByParts }) {
            return .advice(
                subject, "what goes part by part is not done: " + plan.missing.map { "\($0.version), \($0.name)" }.joined(separator: "; "),
                plan.missing.contains { $0.isByCommand }
                    ? "farwatch-collector migrate does it while samples are taken; the server's disk has to have room for its largest chunk unpacked"
                    : "serve does it while it takes samples, farwatch-collector migrate does now and tells how far it is")
        }
        return .advice(subject, "migrations \(versions) are missing", "serve applies them at its start, farwatch-collector migrate does now")
    }

    /// A line a table that holds something.
    static func tables(_ health: StoreHealth, _ plan: Migrator.Plan) -> [DoctorFinding] {
        let used = health.tables.filter { $0.newestPart != nil }
        guard !used.isEmpty else { return [.ok("postgres tables", "nothing is stored yet")] }
        return used.map { table in
            let kind = plan.layout == .hypertables ? "chunks" : "partitions"
            var detail = "\(table.parts) \(kind), \(Amount.bytes(Double(table.bytes)))"
            if let newest = table.newestPart { detail += ", the newest from \(Timestamp.text(newest).prefix(10))" }
            if let compression = table.compression {
                detail += ", \(compression.parts) compressed (\(Amount.percent(compression.saved)) saved)"
            }
            guard table.parts <= partsAdvised else {
                return .advice("postgres " + table.name, detail, "set timeseries.postgres.samples_kept or minutes_kept, so that old ones go")
            }
            return .ok("postgres " + table.name, detail)
        }
    }

    static func indexes(_ health: StoreHealth) -> DoctorFinding {
        let subject = "postgres indexes"
        let used = health.indexes.filter { $0.scans > 0 }
        let detail = "\(used.count) of \(health.indexes.count) used, \(Amount.bytes(health.indexes.reduce(0) { $0 + Double($1.bytes) }))"
        let idle = health.indexes.filter { $0.scans == 0 && !$0.isUnique && $0.bytes >= unusedBytes }
        guard !idle.isEmpty else { return .ok(subject, detail) }
        let names = idle.map { "\($0.name) (\(Amount.bytes(Double($0.bytes))))" }.joined(separator: ", ")
        return .advice(subject, "\(detail); never read: \(names)", "if nothing of yours will read one, it may be dropped")
    }

    /// What is kept beside the roll-ups.
    /// - Parameters:
    ///   - missing: those that are not there; nil where the server is too old.
    ///   - isWanted: by the settings.
    static func aggregates(_ health: StoreHealth, missing: [String]?, isWanted: Bool, at now: Int64) -> DoctorFinding {
        let subject = "postgres aggregates"
        guard let missing else {
            return .ok(subject, "roll-ups are kept by the collector alone: continuous aggregates are made by TimescaleDB 2.12 or later")
        }
        let failing = health.aggregates.filter { $0.hasFailed }.map { $0.name }
        guard !health.aggregates.isEmpty || isWanted else { return .ok(subject, "none: timeseries.postgres.continuous_aggregates is false") }
        if isWanted, !missing.isEmpty {
            return .advice(
                subject, missing.joined(separator: ", ") + " missing", "serve makes them at its start, farwatch-collector migrate does now")
        }
        let told = health.aggregates.map { $0.name + " " + ($0.end.map { Amount.seconds(Double(now - $0) / 1_000) + " ago" } ?? "not yet") }
        let bytes = Amount.bytes(health.aggregates.reduce(0) { $0 + Double($1.bytes) })
        let detail = "\(health.aggregates.count), \(bytes), refreshed up to: " + told.joined(separator: ", ")
        guard failing.isEmpty else {
            return .advice(
                subject, "the server's last refresh of \(failing.joined(separator: ", ")) failed, the collector repeats it; \(detail)",
                "look into timescaledb_information.job_errors and the server's log")
        }
        let idle = health.aggregates.filter { !$0.isScheduled }.map { $0.name }
        guard idle.isEmpty else {
            return .advice(
                subject, "the server does not refresh \(idle.joined(separator: ", ")); \(detail)",
                "farwatch-collector migrate gives it a policy where it has none; SELECT alter_job(…, scheduled => true) has one run again")
        }
        return isWanted ? .ok(subject, detail) : .ok(subject, detail + "; none is wanted: DROP MATERIALIZED VIEW … CASCADE is rid of one")
    }

    static func statements(_ health: StoreHealth) -> DoctorFinding {
        let subject = "postgres slow statements"
        guard let slowest = health.slowStatements.first else { return .ok(subject, "none takes a second") }
        let calls = slowest.calls.map { " on average of \($0) calls" } ?? " so far"
        return .advice(
            subject, "\(health.slowStatements.count); the slowest takes \(Amount.seconds(slowest.seconds))\(calls): \(slowest.text)",
            "look at it with EXPLAIN ANALYZE")
    }

    static func replication(standbys: Int64, lag: Double?) -> DoctorFinding {
        let subject = "postgres replication"
        guard standbys > 0 else { return .ok(subject, "no standby") }
        guard let lag else { return .ok(subject, "\(standbys) standbys, nothing to catch up with, or this role may not know") }
        let detail = "\(standbys) standbys, the slowest \(Amount.seconds(lag)) behind"
        return lag < lagAdvised ? .ok(subject, detail) : .advice(subject, detail, "look at its disk and its connection")
    }

    static func room(databaseBytes: Int64, available: Double?) -> DoctorFinding {
        let subject = "postgres room"
        let detail = "the database has \(Amount.bytes(Double(databaseBytes)))"
        guard let available else { return .ok(subject, detail + "; how much room is left the server does not tell") }
        let both = detail + ", its disk has room for \(Amount.bytes(available))"
        if available < DirectoryCheck.bytesLeast { return .problem(subject, both, "make room") }
        return available < DirectoryCheck.bytesLeastAdvised ? .advice(subject, both, "make room before it is full") : .ok(subject, both)
    }
}
