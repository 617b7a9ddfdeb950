import PostgresDriver
import ServiceSupport
import Synchronization
import Telemetry
import TimeSeriesStores

/// What the store answers.
extension TimescaleStore {
    func read<Value: Sendable>(
        _ operation: String, _ body: @Sendable (PostgresConnection) throws(PostgresError) -> Value
    ) async throws(StoreError) -> Value {
        _ = try requirePlan(operation)
        do throws(PostgresError) { return try await readers.run(body) } catch {
            throw StoreError(error, operation: operation, place: place)
        }
    }

    /// All of one state.
    private func readTogether<Value: Sendable>(
        _ operation: String, _ body: @Sendable (PostgresConnection) throws(PostgresError) -> Value
    ) async throws(StoreError) -> Value {
        try await read(operation) { (connection) throws(PostgresError) in try connection.transaction(.snapshot, body) }
    }

    package func taken(device: DeviceId, stream: StreamId) async throws -> TakenSequences {
        try await read("read what is taken") { (connection) throws(PostgresError) in try DeviceReader(connection: connection).taken(device, stream) }
    }

    package func series(of device: DeviceId) async throws -> [Series] {
        try await read("read series") { (connection) throws(PostgresError) in try DeviceReader(connection: connection).series(of: device) }
    }

    package func range(_ query: RangeQuery) async throws -> [AggregatedSeries] {
        let found = try await readTogether("read a range") { (connection) throws(PostgresError) in
            switch query.weighting {
            case .samples: try RangeReader(connection: connection, query: query).read()
            case .time(let holdMax): try TimeWeightedReader(connection: connection, query: query, holdMax: holdMax).read()
            }
        }
        guard let found else { throw tooMuch("read a range", "more than \(query.pointsMax) points, or too many samples to weigh by time") }
        return found
    }

    package func latest(of device: DeviceId) async throws -> Tick? {
        try await read("read the newest tick") { (connection) throws(PostgresError) in try DeviceReader(connection: connection).latest(of: device) }
    }

    package func coverage(of device: DeviceId, from: Int64, to: Int64) async throws -> DeviceCoverage {
        let coverage = try await readTogether("read coverage") { (connection) throws(PostgresError) in
            try CoverageReader(connection: connection).coverage(of: device, from: from, to: to)
        }
        guard let coverage else { throw tooMuch("read coverage", "more than \(DeviceCoverage.recordsMax) batches") }
        return coverage
    }

    package func devices(after: DeviceId?, limit: Int) async throws -> [DeviceId] {
        try await read("list devices") { (connection) throws(PostgresError) in
            try DeviceReader(connection: connection).devices(after: after, limit: limit)
        }
    }

    package func sampleCount(of device: DeviceId) async throws -> Int64 {
        try await read("count samples") { (connection) throws(PostgresError) in try DeviceReader(connection: connection).sampleCount(of: device) }
    }

    package func statistics() async throws -> TimeSeriesStatistics {
        try await read("read statistics") { (connection) throws(PostgresError) in try DeviceReader(connection: connection).statistics() }
    }

    // MARK: Other collectors

    package func devicesChangedByOthers() async throws -> Set<DeviceId> {
        let (unseen, writer) = (state.withLock { $0.unseen }, writer)
        let look = try await readTogether("look for what others wrote") { (connection) throws(PostgresError) in
            try OtherWriters(connection: connection).look(since: unseen, writer: writer)
        }
        return state.withLock { state in
            state.unseen = look.next
            guard unseen != nil else { return [] }
            let changed = look.written.filter { state.told[$0.key] != $0.value }
            // What is older is not looked at again.
            state.told = look.written.filter { $0.value >= look.next }
            return Set(changed.keys)
        }
    }
}
