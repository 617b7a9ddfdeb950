import Foundation
import SQLiteDriver
import Telemetry

/// Spoils a copy of a store, to see that the check finds it.
package enum Tampering: String, CaseIterable, Sendable {
    /// A block is gone.
    case lose
    /// A block is there twice, under another sequence.
    case double
    /// A value differs in its lowest bit.
    case alter

    package struct Impossible: Error, CustomStringConvertible {
        package let description = "the store has no block to tamper with"
    }

    /// `directory` is the copy's.
    package func tamper(directory: String, device: String) throws {
        let database = try Database(path: directory + "/timeseries.sqlite")
        let pick = try database.prepare(
            "SELECT blocks.id, blocks.bytes FROM blocks JOIN devices ON devices.number = blocks.device WHERE devices.device = ?1 ORDER BY blocks.id LIMIT 1"
        )
        pick.bind(1, device)
        guard try pick.step() else { throw Impossible() }
        let (id, bytes) = (pick.integer(0), pick.bytes(1))
        pick.reset()
        switch self {
        case .lose: try database.execute("DELETE FROM blocks WHERE id = \(id)")
        case .double:
            let columns = try self.columns(of: database)
            let values = columns.map { $0 == "id" ? "NULL" : $0 == "sequence" ? "sequence + 1000000000" : $0 }
            try database.execute(
                "INSERT INTO blocks (\(columns.joined(separator: ", "))) SELECT \(values.joined(separator: ", ")) FROM blocks WHERE id = \(id)")
        case .alter:
            var ticks = try Block(decoding: bytes[...]).ticks()
            guard let last = ticks[0].readings.indices.last else { throw Impossible() }
            let reading = ticks[0].readings[last]
            ticks[0].readings[last] = Reading(reading.series, Double(bitPattern: reading.value.bitPattern ^ 1))
            let update = try database.prepare("UPDATE blocks SET bytes = ?1 WHERE id = ?2")
            update.bind(1, Block(ticks).encoded())
            update.bind(2, id)
            try update.run()
        }
    }

    private func columns(of database: Database) throws -> [String] {
        let rows = try database.prepare("SELECT name FROM pragma_table_info('blocks')")
        var names: [String] = []
        while try rows.step() { names.append(rows.text(0)) }
        return names
    }
}
