import CollectorFixtures
import ServiceSupport
import Telemetry
import TimeSeriesStores

/// A store that can be told to be down.
final class FragileStore: TimeSeriesStore {
    let store: EmbeddedTimeSeriesStore
    let isDown = Changeable(false)
    let attempts = Changeable(0)
    /// Sequences of which no commit may be.
    let poison = Changeable<Set<Sequence64>>([])
    /// A commit waits until so many are under way.
    let company = Changeable(1)
    let underWay = Changeable(0)
    let mostUnderWay = Changeable(0)
    /// Sequences that are too much for it: by name, and as a server's limits tell.
    let tooMuch = Changeable<Set<Sequence64>>([])
    let overloading = Changeable<Set<Sequence64>>([])
    /// Sequences at which it is down, and not for others.
    let stuck = Changeable<Set<Sequence64>>([])
    /// It takes no probe.
    let isIll = Changeable(false)

    init(_ directory: String) throws { store = try EmbeddedTimeSeriesStore(directory: directory) }

    func commit(_ group: [IncomingBatch]) async throws -> [CommitOutcome] {
        attempts.change { $0 += 1 }
        underWay.change { $0 += 1 }
        defer { underWay.change { $0 -= 1 } }
        let count = underWay.value
        mostUnderWay.change { $0 = max($0, count) }
        for _ in 0..<1_000 where underWay.value < company.value { try await Task.sleep(for: .milliseconds(5)) }
        if isDown.value { throw StoreError(.unavailable, operation: "commit", path: "test", detail: "down") }
        guard group.allSatisfy({ !poison.value.contains($0.batch.sequence) }) else {
            throw StoreError(.refused, operation: "commit", path: "test", detail: "not this one")
        }
        let kinds: [(Changeable<Set<Sequence64>>, StoreError.Reason)] = [(tooMuch, .tooMuch), (overloading, .overloaded), (stuck, .unavailable)]
        for (sequences, reason) in kinds where group.contains(where: { sequences.value.contains($0.batch.sequence) }) {
            throw StoreError(reason, operation: "commit", path: "test", detail: "not with this one")
        }
        return try await store.commit(group)
    }
    func probe() async throws {
        if isIll.value { throw StoreError(.refused, operation: "probe", path: "test", detail: "ill") }
        try await store.probe()
    }
    func taken(device: DeviceId, stream: StreamId) async throws -> TakenSequences { try await store.taken(device: device, stream: stream) }
    func series(of device: DeviceId) async throws -> [Series] { try await store.series(of: device) }
    func range(_ query: RangeQuery) async throws -> [AggregatedSeries] { try await store.range(query) }
    func latest(of device: DeviceId) async throws -> Tick? { try await store.latest(of: device) }
    func devices(after: DeviceId?, limit: Int) async throws -> [DeviceId] { try await store.devices(after: after, limit: limit) }
    func sampleCount(of device: DeviceId) async throws -> Int64 { try await store.sampleCount(of: device) }
    func statistics() async throws -> TimeSeriesStatistics { try await store.statistics() }
    func keep(_ validations: [CertificateValidation]) async throws { try await store.keep(validations) }
    func validations(of certificate: String, limit: Int) async throws -> [CertificateValidation] {
        try await store.validations(of: certificate, limit: limit)
    }
    @discardableResult func quarantine(_ items: [QuarantinedItem]) async throws -> Int { try await store.quarantine(items) }
    func coverage(of device: DeviceId, from: Int64, to: Int64) async throws -> DeviceCoverage {
        try await store.coverage(of: device, from: from, to: to)
    }
    func devicesChangedByOthers() async throws -> Set<DeviceId> { try await store.devicesChangedByOthers() }
    func quarantined(_ query: QuarantineQuery) async throws -> [QuarantinedItem] { try await store.quarantined(query) }
    func quarantined(id: Int64) async throws -> QuarantinedItem? { try await store.quarantined(id: id) }
    func setQuarantineReason(of id: Int64, _ reason: String) async throws { try await store.setQuarantineReason(of: id, reason) }
    func removeQuarantined(id: Int64) async throws -> Bool { try await store.removeQuarantined(id: id) }
}
