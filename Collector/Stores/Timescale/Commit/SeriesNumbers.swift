import PostgresDriver
import Telemetry

/// The numbers of devices' series, as `metric_series` has them, within a transaction that holds the devices' rows. None is remembered from one
/// transaction to the next: a server that was set back by a restore or a failover gives the same number to another series, and nothing tells.
struct SeriesNumbers {
    struct Key: Hashable, Sendable {
        let device: Int64
        let series: Series
    }

    let connection: PostgresConnection

    /// Numbers for all keys, given now where they have none.
    func numbers(of keys: Set<Key>) throws(PostgresError) -> [Key: Int64] {
        var numbers = try Self.select(keys, connection)
        let missing = keys.filter { numbers[$0] == nil }
        if !missing.isEmpty {
            try SeriesBound.check(missing, connection)
            try Self.insert(missing, connection)
            numbers.merge(try Self.select(missing, connection)) { $1 }
        }
        return numbers
    }

    private static func select(_ keys: Set<Key>, _ connection: PostgresConnection) throws(PostgresError) -> [Key: Int64] {
        let asked = Array(keys)
        let rows = try connection.query(
            """
            SELECT asked.place, metric_series.id FROM metric_series
            JOIN unnest($1::int8[], $2::bytea[]) WITH ORDINALITY AS asked (device, key, place) USING (device, key)
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
            SELECT device, key, metric, labels::jsonb FROM unnest($1::int8[], $2::bytea[], $3::text[], $4::text[]) AS new (device, key, metric, labels)
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
