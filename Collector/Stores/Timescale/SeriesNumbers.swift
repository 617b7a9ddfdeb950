import PostgresDriver
import Synchronization
import Telemetry

/// The numbers of devices' series, as `metric_series` has them: those that are remembered, and the table behind it.
final class SeriesNumbers: Sendable {
    /// Series remembered; beyond it they are looked up again.
    private static let rememberedMax = 1_000_000

    struct Key: Hashable, Sendable {
        let device: Int64
        let series: Series
    }

    private let known = Mutex<[Key: Int64]>([:])

    func forget() { known.withLock { $0.removeAll() } }

    /// Only what is committed may be remembered.
    func remember(_ numbers: [Key: Int64]) {
        known.withLock { known in
            if known.count + numbers.count > Self.rememberedMax { known.removeAll() }
            known.merge(numbers) { $1 }
        }
    }

    /// Numbers for all keys, given now where they have none, within a transaction that holds the devices' rows.
    /// - Returns: also which of them were not remembered.
    func numbers(
        of keys: Set<Key>, _ connection: PostgresConnection
    ) throws(PostgresError) -> (all: [Key: Int64], new: [Key: Int64]) {
        var numbers: [Key: Int64] = [:]
        numbers.reserveCapacity(keys.count)
        known.withLock { known in for key in keys { numbers[key] = known[key] } }
        guard numbers.count < keys.count else { return (numbers, [:]) }
        let unknown = keys.filter { numbers[$0] == nil }
        var new = try Self.select(unknown, connection)
        let missing = unknown.filter { new[$0] == nil }
        if !missing.isEmpty {
            try SeriesBound.check(missing, connection)
            try Self.insert(missing, connection)
            new.merge(try Self.select(missing, connection)) { $1 }
        }
        numbers.merge(new) { $1 }
        return (numbers, new)
    }

    private static func select(_ keys: Set<Key>, _ connection: PostgresConnection) throws(PostgresError) -> [Key: Int64] {
        let asked = Array(keys)
        let rows = try connection.query(
            """
            SELECT asked.place, metric_series.id FROM metric_series
            JOIN unnest($1::int4[], $2::bytea[]) WITH ORDINALITY AS asked (device, key, place) USING (device, key)
            """, [.integers(asked.map { $0.device }), .array(asked.map { .bytes(SeriesKey.bytes(of: $0.series)) })])
        var numbers: [Key: Int64] = [:]
        for row in rows { numbers[asked[try row.decode(Int.self, at: 0) - 1]] = try row.decode(at: 1) }
        return numbers
    }

    private static func insert(_ keys: Set<Key>, _ connection: PostgresConnection) throws(PostgresError) {
        let new = Array(keys)
        try connection.run(
            """
            INSERT INTO metric_series (device, key, metric, labels)
            SELECT device, key, metric, labels::jsonb FROM unnest($1::int4[], $2::bytea[], $3::text[], $4::text[]) AS new (device, key, metric, labels)
            """,
            [
                .integers(new.map { $0.device }), .array(new.map { .bytes(SeriesKey.bytes(of: $0.series)) }), .texts(new.map { $0.series.metric }),
                .texts(new.map { labels(of: $0.series) }),
            ])
    }

    private static func labels(of series: Series) -> String {
        var json = JSONWriter()
        json.object { json in for label in series.labels { json.string(label.name, label.value) } }
        return json.text
    }
}
