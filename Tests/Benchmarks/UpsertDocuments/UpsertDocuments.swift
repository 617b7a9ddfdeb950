import CollectorIngest
import DocumentStores
import LinuxDriver
import Logging
import MongoDriver
import MongoStores
import ServiceSupport
import Synchronization
import Telemetry
import TimeSeriesStores

/// Writes events through the collector's ingestion into MongoDB, and the same documents by a bare bulk loop, in turn, and prints the seconds that
/// each took: what `mongo.py` measures.
///
///     farwatch-upsert-documents URI EVENTS ROUNDS DIRECTORY
@main
enum UpsertDocuments {
    private static let devices = 100
    /// 2026-01-01.
    private static let start: Int64 = 1_767_225_600_000
    /// What the bare loop writes at once.
    private static let bulkDocuments = 1_000

    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 5, let count = Int(arguments[2]), let rounds = Int(arguments[3]), count > 0, rounds > 0 else {
            return print("usage: farwatch-upsert-documents URI EVENTS ROUNDS DIRECTORY")
        }
        var best = (path: Double.infinity, bare: Double.infinity)
        for round in 1...rounds {
            best.bare = min(best.bare, try await bare(arguments[1], count, round))
            best.path = min(best.path, try await path(arguments[1], count, round, arguments[4]))
        }
        print("{\"path_seconds\":\(best.path),\"bare_seconds\":\(best.bare)}")
    }

    private static func options(_ uri: String, _ name: String) throws -> MongoOptions {
        var options = try MongoOptions(uri)
        try options.set(database: name)
        return options
    }

    private static func seconds(_ body: () async throws -> Void) async throws -> Double {
        let began = Clock.monotonicNanoseconds()
        try await body()
        return Double(Clock.monotonicNanoseconds() - began) / 1e9
    }

    // MARK: The bare loop

    /// The documents as they are stored, made before.
    private static func bare(_ uri: String, _ count: Int, _ round: Int) async throws -> Double {
        let pool = try MongoPool(options(uri, "bare_\(round)"))
        let writes = (0..<count).map { index -> MongoWrite in
            let id = "edge-\(index % devices)/1/\(index)"
            let document: BSONDocument = [
                "_id": .string(id), "_revision": .int64(Int64(index)), "at": .date(start), "body": .document(body(index)),
                "device": .string("edge-\(index % devices)"), "receivedAt": .date(start), "type": "started",
            ]
            return .replace(filter: ["_id": .string(id)], document)
        }
        _ = try await pool.run { (client) throws(MongoError) in try MongoSetup(client, eventsKept: nil).apply() }
        return try await seconds {
            for first in stride(from: 0, to: count, by: bulkDocuments) {
                let some = Array(writes[first..<min(count, first + bulkDocuments)])
                try await pool.run { (client) throws(MongoError) in try client.write(some, in: "events") }
            }
        }
    }

    private static func body(_ index: Int) -> BSONDocument {
        [
            "at": "2026-01-01T00:00:00.000Z", "boot": .int64(Int64(index)), "reason": "the machine was started", "type": "started",
            "uptime": .double(Double(index) / 10),
        ]
    }

    // MARK: The whole path

    private static func path(_ uri: String, _ count: Int, _ round: Int, _ directory: String) async throws -> Double {
        let documents = try MongoDocumentStore(MongoDocumentOptions(options(uri, "path_\(round)")))
        let store = try EmbeddedTimeSeriesStore(directory: directory + "/\(round)")
        var limits = IngestPipeline.Limits()
        limits.queueMessagesMax = count
        limits.queueBytesMax = 1 << 30
        limits.isDocumentStoreApart = true
        let acknowledged = Mutex(0)
        let pipeline = IngestPipeline(
            store: store, documents: documents, receivers: IngestPipeline.Receivers(), changes: LiveChanges(), registry: MetricsRegistry(),
            limits: limits, logger: Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() }
        ) { _, bytes in
            let runs = (try? Acknowledgement(decoding: bytes))?.runs ?? []
            acknowledged.withLock { sum in for run in runs { sum += Int(run.count) } }
        }
        let messages = (0..<count).map { message($0) }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await documents.run() }
            while documents.unavailableReason != nil { try await Task.sleep(for: .milliseconds(10)) }
            group.addTask { try await pipeline.run() }
            let took = try await seconds {
                for (topic, bytes) in messages { pipeline.receive(topic: topic, bytes: bytes) }
                while acknowledged.withLock({ $0 }) < count { try await Task.sleep(for: .milliseconds(1)) }
            }
            group.cancelAll()
            return took
        }
    }

    private static func message(_ index: Int) -> (String, [UInt8]) {
        guard let device = DeviceId("edge-\(index % devices)") else { preconditionFailure("it is an id") }
        var json = JSONWriter()
        json.object { json in
            json.string("type", "started")
            json.string("at", "2026-01-01T00:00:00.000Z")
            json.integer("boot", Int64(index))
            json.string("reason", "the machine was started")
            json.number("uptime", Double(index) / 10)
        }
        let batch = Batch(
            kind: .event, device: device, stream: 1, sequence: UInt64(index / devices + 1), sealedAt: start, payload: Array(json.text.utf8)[...])
        return (Topic.up(device), batch.encoded())
    }
}
