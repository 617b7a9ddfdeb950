import LinuxDriver
import PostgresDriver
import ServiceSupport
import Synchronization
import Telemetry
import TimeSeriesStores

/// The make of the time-series role on PostgreSQL, with TimescaleDB or without: rows, written by binary COPY. Works while `run` runs and once the
/// schema is as this program knows it; a server that is down is waited for.
package final class TimescaleStore: TimeSeriesStore {
    /// Samples after which a group is written.
    package static let groupRowsMax = 10_000
    /// How long a group may wait for more while others are written.
    package static let groupGrowthMax: Duration = .milliseconds(50)
    /// Groups that are written at the same time, each on a connection of its own.
    package static let groupsInFlight = 3

    private static let undefinedTable = "42P01"

    /// Asked at each commit: the status of each device's worst certificate now, where one is known.
    package typealias CertificateStatuses = @Sendable (Set<DeviceId>) async -> [DeviceId: String]

    /// Told why the database cannot be used when that begins, and nil when it can be again.
    package typealias AvailabilityLog = @Sendable (_ reason: String?) -> Void

    /// Told of what upkeep could not do.
    package typealias UpkeepLog = @Sendable (Upkeep.Failure) -> Void

    struct State {
        var statuses: CertificateStatuses?
        var upkeepLog: UpkeepLog?
        var partLog: PartLog?
        var availabilityLog: AvailabilityLog?
        /// What was told last; nil before the server was reached or found missing.
        var isToldAvailable: Bool?
        var upkeepFailures = 0
        var plan: Migrator.Plan?
        var failure: String?
        /// When a write failed since which none has succeeded.
        var writeFailedAt: Int64?
        /// A write found a table missing since the schema was seen to.
        var isSchemaGone = false
        var health = StoreHealth()
        var metrics: StoreMetrics?
        /// The newest transactions that others were told of, by device.
        var told: [DeviceId: Int64] = [:]
        /// Transactions from here on have not been looked at; nil before the first look.
        var unseen: Int64?
    }

    /// For what writes, and for upkeep.
    let pool: PostgresPool
    let readers: PostgresPool
    let options: TimescaleOptions
    private let partitions = Partitions()
    /// Tells this collector's writing from others'.
    let writer = Int64(truncatingIfNeeded: Random.uint64())
    let state = Mutex(State())

    package init(_ options: TimescaleOptions) {
        self.options = options
        pool = PostgresPool(options.server, limits: options.writing)
        readers = PostgresPool(options.server, limits: options.reading)
    }

    // MARK: State

    /// What the server is; nil until it has been reached.
    package var plan: Migrator.Plan? { state.withLock { $0.plan } }

    /// Why the store cannot be used at present; nil when it can, as far as is known.
    package var unavailableReason: String? { state.withLock { $0.failure ?? ($0.plan == nil ? "the database has not been reached yet" : nil) } }

    /// `TimescaleDB 2.19.3 (apache)`; nil until the server has been reached.
    package var serverName: String? {
        plan.map { plan in
            let name = plan.extensionVersion.map { "TimescaleDB " + $0 } ?? "PostgreSQL without TimescaleDB"
            return name + (plan.tier.map { " (" + $0.rawValue + ")" } ?? "")
        }
    }

    package var counts: PoolCounts { pool.counts + readers.counts }
    package var health: StoreHealth { state.withLock { $0.health } }

    /// Once.
    package func register(in registry: MetricsRegistry) {
        let metrics = StoreMetrics(self, in: registry)
        state.withLock { $0.metrics = metrics }
    }

    /// Who knows of certificates; set before `run`.
    package func ask(_ statuses: @escaping CertificateStatuses) { state.withLock { $0.statuses = statuses } }

    /// Who tells people what upkeep could not do; set before `run`.
    package func tell(_ upkeepLog: @escaping UpkeepLog) { state.withLock { $0.upkeepLog = upkeepLog } }

    /// Who tells people that the database cannot be used; set before `run`.
    package func tell(availability: @escaping AvailabilityLog) { state.withLock { $0.availabilityLog = availability } }

    /// Since the start.
    package var upkeepFailures: Int { state.withLock { $0.upkeepFailures } }

    func upkeepFailed(_ failure: Upkeep.Failure) {
        // Who stops is no failure.
        guard failure.error.reason != .cancelled else { return }
        let upkeepLog = state.withLock { state in
            state.upkeepFailures += 1
            return state.upkeepLog
        }
        upkeepLog?(failure)
    }

    var isSchemaGone: Bool { state.withLock { $0.isSchemaGone } }

    func prepared(_ plan: Migrator.Plan) {
        state.withLock { state in
            state.plan = plan
            state.isSchemaGone = false
            state.metrics?.set(plan)
        }
        failed(nil)
    }

    func found(_ health: StoreHealth) {
        state.withLock { state in
            state.health = health
            state.metrics?.set(health)
        }
    }

    /// - Parameter reason: nil when all is well.
    func failed(_ reason: String?) {
        let log = state.withLock { state -> AvailabilityLog? in
            state.failure = reason
            let isAvailable = reason == nil && state.plan != nil
            guard state.isToldAvailable != isAvailable, isAvailable || reason != nil else { return nil }
            state.isToldAvailable = isAvailable
            return state.availabilityLog
        }
        log?(reason)
    }

    /// For so long after a write that failed, a server that says that it is well is not believed: what fails is tried again sooner.
    private static let writeFailureMilliseconds: Int64 = 30_000

    /// - Parameter refusal: why the server cannot be written, by its own word.
    func checked(_ refusal: String?) {
        let failedAt = state.withLock { $0.writeFailedAt }
        if refusal == nil, let failedAt, Clock.system.boot() - failedAt < Self.writeFailureMilliseconds { return }
        failed(refusal)
    }

    var place: String { options.server.description }

    func requirePlan(_ operation: String) throws(StoreError) -> Migrator.Plan {
        let (plan, failure) = state.withLock { ($0.plan, $0.failure) }
        if let plan { return plan }
        throw StoreError(.unavailable, operation: operation, path: place, detail: failure ?? "the database has not been reached yet")
    }

    // MARK: Writing

    package func commit(_ group: [IncomingBatch]) async throws -> [CommitOutcome] {
        guard !group.isEmpty else { return [] }
        let plan = try requirePlan("commit")
        if let refusal = CommitSize(group).refusal(plan.layout) { throw tooMuch("commit", refusal) }
        let samples = Set(group.lazy.filter { $0.block != nil }.map { $0.batch.device })
        let statuses = samples.isEmpty ? [:] : await state.withLock { $0.statuses }?(samples) ?? [:]
        let work = GroupCommit(group: group, writer: writer, statuses: statuses, now: Clock.system.wall())
        let result = try await write("commit") { () async throws(PostgresError) in
            do throws(PostgresError) { return try await run(work, plan) } catch {
                guard plan.layout == .partitions, error.saysNoPartition else { throw error }
                // Somebody dropped a partition that was known to be there.
                partitions.forget()
                return try await run(work, plan)
            }
        }
        return result.outcomes
    }

    private func run(_ work: GroupCommit, _ plan: Migrator.Plan) async throws(PostgresError) -> GroupCommit.Result {
        if plan.layout == .partitions { try await makePartitions(GroupCommit.partitions(of: work.group)) }
        return try await pool.transaction { (connection) throws(PostgresError) in try work.run(connection) }
    }

    func makePartitions(_ wanted: Set<Partitions.Partition>) async throws(PostgresError) {
        let unknown = partitions.unknown(of: wanted)
        guard !unknown.isEmpty else { return }
        try await pool.run { [partitions] (connection) throws(PostgresError) in try partitions.make(unknown, connection) }
    }

    /// Runs what writes, with the server's errors as the store's.
    func write<Value>(_ operation: String, _ body: () async throws(PostgresError) -> Value) async throws(StoreError) -> Value {
        do throws(PostgresError) {
            let value = try await body()
            state.withLock { $0.writeFailedAt = nil }
            failed(nil)
            return value
        } catch {
            // What is remembered may be of another server, or of one that was set back.
            partitions.forget()
            if error.sqlState == Self.undefinedTable { state.withLock { $0.isSchemaGone = true } }
            let failure = StoreError(error, operation: operation, place: place, isWrite: true)
            if failure.reason != .refused, error.reason != .cancelled, error.reason != .poolClosed {
                state.withLock { $0.writeFailedAt = Clock.system.boot() }
                failed(failure.description)
            }
            throw failure
        }
    }

    /// Writes what any server that is well takes, and takes it back.
    package func probe() async throws {
        guard let device = DeviceId("farwatch.probe") else { return }
        let plan = try requirePlan("probe")
        let block = Block([Tick(at: Clock.system.wall(), readings: [Reading(Series("cpu_usage"), 0), Reading(Series("probe"), 0)])])
        let batch = Batch(kind: .samples, device: device, stream: 1, sequence: 1, sealedAt: 0, payload: block.encoded()[...])
        let incoming = [IncomingBatch(batch: batch, block: block)]
        let work = GroupCommit(group: incoming, writer: writer)
        try await write("probe") { () async throws(PostgresError) in
            if plan.layout == .partitions { try await makePartitions(GroupCommit.partitions(of: incoming)) }
            try await pool.run { (connection) throws(PostgresError) in
                try connection.execute("BEGIN")
                let result: Result<GroupCommit.Result, PostgresError>
                do throws(PostgresError) { result = .success(try work.run(connection)) } catch { result = .failure(error) }
                try connection.execute("ROLLBACK")
                _ = try result.get()
            }
        }
    }

    func tooMuch(_ operation: String, _ what: String) -> StoreError {
        StoreError(.tooMuch, operation: operation, path: place, detail: what)
    }
}
