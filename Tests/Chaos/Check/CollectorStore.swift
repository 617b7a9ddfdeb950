import Foundation
import SQLiteDriver
import Telemetry

/// The embedded store as it lies on disk, read without the collector's own reader.
package final class CollectorStore {
    private let samples: Database
    private let documents: Database

    package init(directory: String) throws {
        samples = try Database(path: directory + "/timeseries.sqlite", access: .readOnly)
        documents = try Database(path: directory + "/documents.sqlite", access: .readOnly)
    }

    package func blocks(of device: String) throws -> [Block] {
        let rows = try samples.prepare(
            "SELECT blocks.bytes FROM blocks JOIN devices ON devices.number = blocks.device WHERE devices.device = ?1 ORDER BY blocks.id")
        rows.bind(1, device)
        var blocks: [Block] = []
        while try rows.step() { blocks.append(try Block(decoding: rows.bytes(0)[...])) }
        return blocks
    }

    package func notices(of device: String) throws -> Notices {
        let rows = try documents.prepare("SELECT body FROM events WHERE json_extract(body, '$.device') = ?1 ORDER BY id")
        rows.bind(1, device)
        var notices = Notices()
        while try rows.step() {
            if let document = try JSONSerialization.jsonObject(with: Data(rows.text(0).utf8)) as? [String: Any] { notices.add(document) }
        }
        return notices
    }

    /// Refused batches by their reason.
    package func refused() throws -> [String: Int] {
        let rows = try samples.prepare("SELECT reason, count(*) FROM quarantine GROUP BY reason")
        var refused: [String: Int] = [:]
        while try rows.step() { refused[rows.text(0)] = Int(rows.integer(1)) }
        return refused
    }
}
