import ServiceSupport
import Telemetry

/// The make of the time-series role that needs no server: blocks as they came, in one SQLite file.
package final class EmbeddedTimeSeriesStore: TimeSeriesStore {
    /// Its name in the store's directory.
    package static let file = TimeSeriesSchema.file
    package static var schemaVersion: Int { TimeSeriesSchema.migrations.count }

    private let writer: TimeSeriesWriter
    private let reader: TimeSeriesReader

    /// Opens or creates the store in a directory; the error names the path.
    package init(directory: String, schema: EmbeddedDatabase.Schema = .migrated) throws(StoreError) {
        writer = try TimeSeriesWriter(directory: directory, schema: schema)
        reader = try TimeSeriesReader(directory: directory)
    }

    package func commit(_ group: [IncomingBatch]) async throws -> [CommitOutcome] { try await writer.commit(group) }
    package func probe() async throws { try await writer.probe() }
    package func devicesChangedByOthers() async throws -> Set<DeviceId> { try await writer.devicesChangedByOthers() }

    package func taken(device: DeviceId, stream: StreamId) async throws -> TakenSequences {
        try await reader.taken(device: device, stream: stream)
    }
    package func series(of device: DeviceId) async throws -> [Series] { try await reader.series(of: device) }
    package func range(_ query: RangeQuery) async throws -> [AggregatedSeries] { try await reader.range(query) }
    package func latest(of device: DeviceId) async throws -> Tick? { try await reader.latest(of: device) }
    package func coverage(of device: DeviceId, from: Int64, to: Int64) async throws -> DeviceCoverage {
        try await reader.coverage(of: device, from: from, to: to)
    }
    package func devices(after: DeviceId?, limit: Int) async throws -> [DeviceId] { try await reader.devices(after: after, limit: limit) }
    package func sampleCount(of device: DeviceId) async throws -> Int64 { try await reader.sampleCount(of: device) }
    package func statistics() async throws -> TimeSeriesStatistics { try await reader.statistics() }

    package func keep(_ validations: [CertificateValidation]) async throws { try await writer.keep(validations) }
    package func validations(of certificate: String, limit: Int) async throws -> [CertificateValidation] {
        try await reader.validations(of: certificate, limit: limit)
    }

    @discardableResult
    package func quarantine(_ items: [QuarantinedItem]) async throws -> Int { try await writer.quarantine(items) }
    package func quarantined(_ query: QuarantineQuery) async throws -> [QuarantinedItem] { try await reader.quarantined(query) }
    package func quarantined(id: Int64) async throws -> QuarantinedItem? { try await reader.quarantined(id: id) }
    package func setQuarantineReason(of id: Int64, _ reason: String) async throws { try await writer.setQuarantineReason(of: id, reason) }
    package func removeQuarantined(id: Int64) async throws -> Bool { try await writer.removeQuarantined(id: id) }
}
