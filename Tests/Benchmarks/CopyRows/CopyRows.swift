import PostgresDriver

/// Copies rows of device_metrics through the driver and prints the seconds that it took: what `postgres.py` measures.
///
///     farwatch-copy-rows CONNECTION ROWS ROWS_IN_A_TRANSACTION
@main
enum CopyRows {
    private static let columns = ["device_id", "cpu_usage", "memory_usage", "network_latency", "certificate_status", "timestamp"]
    private static let devices = (0..<100).map { "edge-" + String(String(10_000 + $0).dropFirst()) }
    /// 2026-01-01.
    private static let firstTimestamp: Int64 = 1_767_225_600_000

    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let rows = Int(arguments[2]), let rowsInTransaction = Int(arguments[3]), rowsInTransaction > 0 else {
            return print("usage: farwatch-copy-rows CONNECTION ROWS ROWS_IN_A_TRANSACTION")
        }
        let session = try await PostgresSession.open(PostgresOptions(arguments[1]))
        let clock = ContinuousClock()
        let began = clock.now
        for first in stride(from: 0, to: rows, by: rowsInTransaction) {
            try await session.run { (connection) throws(PostgresError) in
                try copy(first..<min(rows, first + rowsInTransaction), by: connection)
            }
        }
        let took = began.duration(to: clock.now)
        print(Double(took.inMilliseconds) / 1000)
    }

    private static func copy(_ rows: Range<Int>, by connection: PostgresConnection) throws(PostgresError) {
        try connection.copyIn("device_metrics", columns: columns) { (writer) throws(PostgresError) in
            for row in rows {
                try writer.beginRow()
                writer.text(devices[row % devices.count])
                writer.double(Double(row % 1_000) / 1_000)
                writer.double(Double(row % 777) / 777)
                writer.double(Double(row % 90) / 1_000)
                writer.text("valid")
                writer.timestamp(firstTimestamp + Int64(row / devices.count) * 1_000)
            }
        }
    }
}
