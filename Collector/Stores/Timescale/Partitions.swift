import PostgresDriver
import Synchronization

/// The partitions that are known to be there, where PostgreSQL has no TimescaleDB to make them.
final class Partitions: Sendable {
    struct Partition: Hashable, Sendable {
        let table: TimeTable
        let number: Int64

        var name: String { table.partitionName(number) }
    }

    /// "FARP": who makes partitions holds this advisory lock until the end of the transaction.
    private static let lock: Int64 = 0x4641_5250
    /// Remembered; beyond it they are looked up again.
    private static let knownMax = 100_000

    private let known = Mutex<Set<Partition>>([])

    func forget() { known.withLock { $0.removeAll() } }

    func unknown(of wanted: Set<Partition>) -> [Partition] {
        let unknown = known.withLock { wanted.subtracting($0) }
        return unknown.sorted { ($0.table.name, $0.number) < ($1.table.name, $1.number) }
    }

    /// Made in one transaction: the server has room for some thousands of locks, and each takes several.
    private static let madeTogetherMax = 50

    /// Makes those that are not there.
    func make(_ partitions: [Partition], _ connection: PostgresConnection) throws(PostgresError) {
        for start in stride(from: 0, to: partitions.count, by: Self.madeTogetherMax) {
            try makeTogether(Array(partitions[start..<min(start + Self.madeTogetherMax, partitions.count)]), connection)
        }
    }

    /// Whoever writes meanwhile is not held up: ATTACH PARTITION "requires a SHARE UPDATE EXCLUSIVE lock on the
    /// parent table".
    private func makeTogether(_ partitions: [Partition], _ connection: PostgresConnection) throws(PostgresError) {
        try connection.transaction { (connection) throws(PostgresError) in
            try connection.run("SELECT pg_advisory_xact_lock($1)", [.integer(Self.lock)])
            for partition in partitions {
                guard try connection.query("SELECT to_regclass($1) IS NULL", [.text(partition.name)]).value(Bool.self) == true else { continue }
                let table = partition.table
                let bounds = [table.start(of: partition.number), table.start(of: partition.number + 1)].map { "to_timestamp(\($0 / 1000))" }
                try connection.execute(
                    """
                    CREATE TABLE \(partition.name) (LIKE \(table.name) INCLUDING DEFAULTS);
                    ALTER TABLE \(table.name) ATTACH PARTITION \(partition.name) FOR VALUES FROM (\(bounds[0])) TO (\(bounds[1]))
                    """)
            }
        }
        known.withLock { known in
            if known.count > Self.knownMax { known.removeAll() }
            known.formUnion(partitions)
        }
    }
}
