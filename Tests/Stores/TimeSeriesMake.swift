import CollectorFixtures
import Foundation
import PostgresDriver
import PostgresFixtures
import ServiceSupport
import Telemetry
import Testing
import TimeSeriesStores
import TimescaleStores

/// A make of the time-series role: how to open it, and again after it was closed, in the same place.
struct TimeSeriesMake: CustomTestStringConvertible, Sendable {
    let name: String
    let open: @Sendable (ScratchDirectory) async throws -> any TimeSeriesStore

    var testDescription: String { name }

    /// A kind of server that is missing is told by the driver's `TierTests`.
    static let all = embedded + PostgresTier.available.flatMap(postgres)

    private static let embedded = [
        TimeSeriesMake(name: "embedded") { try EmbeddedTimeSeriesStore(directory: $0.path) },
        // Two collectors on one shared subscription: what comes is spread over both.
        TimeSeriesMake(name: "embedded, two collectors") { scratch in
            SharedStore(try (0..<2).map { _ in try EmbeddedTimeSeriesStore(directory: scratch.path) })
        },
    ]

    private static func postgres(_ tier: PostgresTier) -> [TimeSeriesMake] {
        [
            TimeSeriesMake(name: tier.description) { SharedStore([try await RunningStore.start(tier, at: $0)]) },
            TimeSeriesMake(name: tier.description + ", two collectors") { scratch in
                // Both bring the schema up to date at once.
                async let one = RunningStore.start(tier, at: scratch)
                async let other = RunningStore.start(tier, at: scratch)
                return SharedStore([try await one, try await other])
            },
        ]
    }
}

/// A store on a real server, in a database for each scratch directory, and the task that keeps it.
final class RunningStore: Sendable {
    struct NotReady: Error, CustomStringConvertible {
        let description: String
    }

    let store: TimescaleStore
    private let task: Task<Void, Never>

    private static let databases = Changeable<[String: PostgresOptions]>([:])

    private init(_ options: PostgresOptions, _ change: (inout TimescaleOptions) -> Void) {
        var all = TimescaleOptions(options)
        all.pool.connectionsMin = 1
        all.pool.connectionsMax = 4
        change(&all)
        let store = TimescaleStore(all)
        self.store = store
        task = Task { await store.run() }
    }

    deinit { task.cancel() }

    static func start(_ tier: PostgresTier, at scratch: ScratchDirectory) async throws -> RunningStore {
        try await start(try database(tier, of: scratch))
    }

    static func start(_ options: PostgresOptions, _ change: (inout TimescaleOptions) -> Void = { _ in }) async throws -> RunningStore {
        let running = RunningStore(options, change)
        for _ in 0..<1_200 where running.store.plan == nil { try await Task.sleep(for: .milliseconds(50)) }
        guard running.store.plan != nil else { throw NotReady(description: running.store.unavailableReason ?? "") }
        return running
    }

    static func database(_ tier: PostgresTier, of scratch: ScratchDirectory) throws -> PostgresOptions {
        let server = try SharedPostgres.server(tier)
        let lock = lock
        lock.lock()
        defer { lock.unlock() }
        if let known = databases.value[scratch.path] { return known }
        let options = try server.makeDatabase()
        let path = scratch.path
        databases.change { $0[path] = options }
        return options
    }

    private static let lock = NSLock()
}

/// One store through the handles of several collectors, in turn.
final class SharedStore: TimeSeriesStore {
    private let handles: [any TimeSeriesStore]
    private let running: [RunningStore]
    private let turn = Changeable(0)

    init(_ handles: [any TimeSeriesStore]) {
        self.handles = handles
        running = []
    }

    init(_ running: [RunningStore]) {
        handles = running.map { $0.store }
        self.running = running
    }

    private var next: any TimeSeriesStore {
        turn.change { $0 += 1 }
        return handles[turn.value % handles.count]
    }

    func commit(_ group: [IncomingBatch]) async throws -> [CommitOutcome] { try await next.commit(group) }
    func probe() async throws { try await next.probe() }
    func taken(device: DeviceId, stream: StreamId) async throws -> TakenSequences { try await next.taken(device: device, stream: stream) }
    func series(of device: DeviceId) async throws -> [Series] { try await next.series(of: device) }
    func range(_ query: RangeQuery) async throws -> [AggregatedSeries] { try await next.range(query) }
    func latest(of device: DeviceId) async throws -> Tick? { try await next.latest(of: device) }
    func coverage(of device: DeviceId, from: Int64, to: Int64) async throws -> DeviceCoverage {
        try await next.coverage(of: device, from: from, to: to)
    }
    func devicesChangedByOthers() async throws -> Set<DeviceId> { try await next.devicesChangedByOthers() }
    func devices(after: DeviceId?, limit: Int) async throws -> [DeviceId] { try await next.devices(after: after, limit: limit) }
    func sampleCount(of device: DeviceId) async throws -> Int64 { try await next.sampleCount(of: device) }
    func statistics() async throws -> TimeSeriesStatistics { try await next.statistics() }
    func keep(_ validations: [CertificateValidation]) async throws { try await next.keep(validations) }
    func validations(of certificate: String, limit: Int) async throws -> [CertificateValidation] {
        try await next.validations(of: certificate, limit: limit)
    }
    @discardableResult func quarantine(_ items: [QuarantinedItem]) async throws -> Int { try await next.quarantine(items) }
    func quarantined(_ query: QuarantineQuery) async throws -> [QuarantinedItem] { try await next.quarantined(query) }
    func quarantined(id: Int64) async throws -> QuarantinedItem? { try await next.quarantined(id: id) }
    func setQuarantineReason(of id: Int64, _ reason: String) async throws { try await next.setQuarantineReason(of: id, reason) }
    func removeQuarantined(id: Int64) async throws -> Bool { try await next.removeQuarantined(id: id) }
}
