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
        for table in Set(partitions.map { $0.table }) { try Self.endDetaching(from: table, connection) }
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
                guard let name = try Self.freeName(of: partition, connection) else { continue }
                let table = partition.table
                let bounds = [table.start(of: partition.number), table.start(of: partition.number + 1)].map { "to_timestamp(\($0 / 1000))" }
                try connection.execute(
                    """
                    CREATE TABLE \(name) (LIKE \(table.name) INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
                    ALTER TABLE \(table.name) ATTACH PARTITION \(name) FOR VALUES FROM (\(bounds[0])) TO (\(bounds[1]))
                    """)
            }
        }
        known.withLock { known in
            if known.count > Self.knownMax { known.removeAll() }
            known.formUnion(partitions)
        }
    }

    // MARK: What is there

    /// Tables that somebody has detached keep their names; so many for one partition are passed over.
    private static let detachedMax = 100

    /// A name for a partition that is to be made; nil when there is one that takes rows. That a table has its name says nothing.
    private static func freeName(of partition: Partition, _ connection: PostgresConnection) throws(PostgresError) -> String? {
        let rows = try connection.query(
            """
            SELECT relname, EXISTS (SELECT FROM pg_inherits WHERE inhrelid = pg_class.oid AND inhparent = $1::text::regclass) FROM pg_class
            WHERE relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = $1::text::regclass)
                AND relname BETWEEN $2::text::name AND ($2::text || '_:')::name AND relname ~ ('^' || $2::text || '(_[0-9]+)?$')
            ORDER BY 2 DESC LIMIT \(detachedMax)
            """, [.text(partition.table.name), .text(partition.name)])
        var taken: Set<String> = []
        for row in rows {
            if try row.decode(Bool.self, at: 1) { return nil }
            taken.insert(try row.decode(at: 0))
        }
        let names = [partition.name] + (1...detachedMax).map { partition.name + "_" + String($0) }
        return names.first { !taken.contains($0) }
    }

    /// A partition that is half detached, as a DETACH PARTITION CONCURRENTLY that was broken off leaves it, takes no rows and is in the way of another.
    private static func endDetaching(from table: TimeTable, _ connection: PostgresConnection) throws(PostgresError) {
        let rows = try connection.query(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = $1::text::regclass AND inhdetachpending", [.text(table.name)])
        for row in rows { try connection.execute("ALTER TABLE \(table.name) DETACH PARTITION \(try row.decode(String.self, at: 0)) FINALIZE") }
    }

    /// The partitions of a table that this program knows by their names, the oldest first.
    static func attached(to table: TimeTable, _ connection: PostgresConnection) throws(PostgresError) -> [(name: String, number: Int64)] {
        let rows = try connection.query(
            """
            SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
            WHERE inhparent = $1::text::regclass AND NOT inhdetachpending
            """, [.text(table.name)])
        var partitions: [(name: String, number: Int64)] = []
        for row in rows {
            let name = try row.decode(String.self, at: 0)
            if let number = table.partition(named: name) { partitions.append((name, number)) }
        }
        return partitions.sorted { $0.number < $1.number }
    }
}
