import PostgresDriver
import Telemetry
import TimeSeriesStores

/// What is known of devices, without looking through their samples.
struct DeviceReader {
    let connection: PostgresConnection

    func taken(_ device: DeviceId, _ stream: StreamId) throws(PostgresError) -> TakenSequences {
        let rows = try connection.query(
            """
            SELECT floor, closed, refused FROM stream_accounts WHERE device = (SELECT number FROM devices WHERE device = $1) AND stream = $2
            """, [.text(device.text), .integer(Int64(bitPattern: stream))])
        return rows.isEmpty ? TakenSequences() : try AccountTable.account(rows[0], from: 0)
    }

    func series(of device: DeviceId) throws(PostgresError) -> [Series] {
        let rows = try connection.query(
            """
            SELECT key FROM metric_series WHERE device = (SELECT number FROM devices WHERE device = $1) ORDER BY id LIMIT $2
            """, [.text(device.text), .integer(Int64(TimeSeriesLimits.seriesPerDeviceMax))])
        var series: [Series] = []
        for row in rows { if let one = try? SeriesKey.series(try row.decode(PostgresBytes.self, at: 0).bytes) { series.append(one) } }
        return series.sorted { $0.description < $1.description }
    }

    func latest(of device: DeviceId) throws(PostgresError) -> Tick? {
        let rows = try connection.query("SELECT latest_end, latest FROM devices WHERE device = $1 AND latest_end IS NOT NULL", [.text(device.text)])
        guard !rows.isEmpty else { return nil }
        guard let bytes = try rows[0].decodeIfPresent(PostgresBytes.self, at: 1)?.bytes else {
            return Tick(at: try rows[0].decode(PostgresTimestamp.self, at: 0).milliseconds, readings: [])
        }
        do throws(DecodingError) { return try Block(decoding: bytes[...]).ticks().first } catch {
            throw PostgresError(.decoding, operation: "read the table devices", detail: "a newest tick cannot be decoded: " + error.description)
        }
    }

    func devices(after: DeviceId?, limit: Int) throws(PostgresError) -> [DeviceId] {
        let rows = try connection.query(
            "SELECT device FROM devices WHERE device > $1 ORDER BY device LIMIT $2", [.text(after?.text ?? ""), .integer(Int64(limit))])
        var devices: [DeviceId] = []
        for row in rows { if let id = DeviceId(try row.decode(String.self, at: 0)) { devices.append(id) } }
        return devices
    }

    func sampleCount(of device: DeviceId) throws(PostgresError) -> Int64 {
        try connection.query("SELECT samples FROM devices WHERE device = $1", [.text(device.text)]).value() ?? 0
    }

    func statistics() throws(PostgresError) -> TimeSeriesStatistics {
        let row = try connection.query(
            "SELECT count(*), coalesce(sum(batches), 0)::int8, coalesce(sum(samples), 0)::int8, coalesce(sum(bytes), 0)::int8 FROM devices")[0]
        return TimeSeriesStatistics(
            devices: try row.decode(at: 0), blocks: try row.decode(at: 1), samples: try row.decode(at: 2), bytes: try row.decode(at: 3))
    }
}
