import PostgresDriver
import Telemetry
import TimeSeriesStores

/// The table `devices`, within a transaction.
struct DeviceTable {
    let connection: PostgresConnection

    /// The devices' numbers, given now where they have none. Their rows are held until the transaction ends, so that nobody else writes for them;
    /// all writers take them in one order.
    func lock(_ devices: Set<DeviceId>) throws(PostgresError) -> [DeviceId: Int64] {
        let names = devices.map { $0.text }.sorted()
        var numbers = try select(names)
        guard numbers.count < devices.count else { return numbers }
        let unknown = names.filter { name in DeviceId(name).map { numbers[$0] == nil } ?? false }
        try connection.run("INSERT INTO devices (device) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING", [.texts(unknown)])
        numbers.merge(try select(unknown)) { $1 }
        return numbers
    }

    private func select(_ names: [String]) throws(PostgresError) -> [DeviceId: Int64] {
        guard !names.isEmpty else { return [:] }
        let rows = try connection.query(
            "SELECT device, number FROM devices WHERE device = ANY($1::text[]::varchar[]) ORDER BY number FOR UPDATE", [.texts(names)])
        var numbers: [DeviceId: Int64] = [:]
        for row in rows { if let device = DeviceId(try row.decode(String.self, at: 0)) { numbers[device] = try row.decode(at: 1) } }
        return numbers
    }

    /// What a group adds to one device.
    struct Tally {
        var batches: Int64 = 0
        var samples: Int64 = 0
        var bytes: Int64 = 0
        var span: Int64 = 0
        var newest: IncomingBatch?

        mutating func add(_ incoming: IncomingBatch, _ block: Block, _ ticks: TickCoverage) {
            batches += 1
            samples += Int64(block.sampleCount)
            bytes += Int64(incoming.batch.payload.count)
            span = max(span, ticks.end - ticks.start)
            guard let known = newest?.ticks else { return newest = incoming }
            if (ticks.end, ticks.start) >= (known.end, known.start) { newest = incoming }
        }

        /// The newest tick as a block; null where none of its values counts any more.
        fileprivate var newestTick: PostgresValue {
            guard let tick = newest?.block?.newestTick, !tick.readings.isEmpty else { return .null }
            return .bytes(Block([tick]).encoded())
        }
    }

    /// - Parameter writer: the collector that writes.
    static func update(_ tallies: [(device: Int64, tally: Tally)], writer: Int64) -> PostgresCommand {
        let values = tallies.map { $0.tally }
        return PostgresCommand(
            """
            UPDATE devices SET
                batches = devices.batches + new.batches, samples = devices.samples + new.samples, bytes = devices.bytes + new.bytes,
                span_ms = greatest(devices.span_ms, new.span_ms),
                latest_end = CASE WHEN new.is_newest THEN new.latest_end ELSE devices.latest_end END,
                latest_start = CASE WHEN new.is_newest THEN new.latest_start ELSE devices.latest_start END,
                latest = CASE WHEN new.is_newest THEN new.latest ELSE devices.latest END,
                latest_writer = CASE WHEN new.is_newest THEN $9 ELSE devices.latest_writer END,
                latest_transaction = CASE WHEN new.is_newest THEN pg_current_xact_id()::text::bigint ELSE devices.latest_transaction END
            FROM (
                SELECT sums.*, known.latest_end IS NULL OR (sums.latest_end, sums.latest_start) >= (known.latest_end, known.latest_start) AS is_newest
                FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::timestamptz[], $7::timestamptz[], $8::bytea[])
                    AS sums (number, batches, samples, bytes, span_ms, latest_end, latest_start, latest)
                JOIN devices AS known USING (number)
            ) AS new
            WHERE devices.number = new.number
            """,
            [
                .integers(tallies.map { $0.device }), .integers(values.map { $0.batches }), .integers(values.map { $0.samples }),
                .integers(values.map { $0.bytes }), .integers(values.map { $0.span }), .timestamps(values.map { $0.newest?.ticks?.end ?? 0 }),
                .timestamps(values.map { $0.newest?.ticks?.start ?? 0 }), .array(values.map { $0.newestTick }), .integer(writer),
            ])
    }
}
