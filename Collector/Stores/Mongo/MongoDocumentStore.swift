import DocumentStores
import Glibc
import LinuxDriver
import MongoDriver
import ServiceSupport
import Synchronization

/// The make of the document role on MongoDB. Works while `run` runs and once the database is set up as this program knows it; a server that is down is
/// waited for, and meanwhile every call says so at once.
///
/// Where the server has transactions (a replica set, a cluster), changes are one, on a view of one moment: of two that write the same document one is
/// done after the other. A single server has none: there changes are done in order, so that what broke off half-way is mended by doing it again, and a
/// document that was read is written only if nobody has written it since.
package final class MongoDocumentStore: DocumentStore {
    /// Ids of one question.
    private static let idsMax = 10_000
    /// How often a change is tried again that met another's.
    private static let attemptsMax = 16
    /// How often a change that a unique index refuses: one that made the same document meanwhile may be why.
    private static let uniqueAttemptsMax = 3
    private static let pauseBase: Int64 = 2
    private static let pauseCap: Int64 = 200

    private struct State {
        var server: MongoServer?
        var failure: String?
        var isFollowing = false
        var metrics: MongoStoreMetrics?
    }

    let pool: MongoPool
    let options: MongoDocumentOptions
    private let state = Mutex(State())
    let recorder: CommandRecorder

    package init(_ options: MongoDocumentOptions) throws(MongoError) {
        var options = options
        options.server.writeTimeout = Int32(clamping: options.answerMax.components.seconds * 1_000)
        self.options = options
        let recorder = CommandRecorder()
        self.recorder = recorder
        pool = try MongoPool(options.server) { recorder.told($0) }
    }

    // MARK: State

    /// What the server is; nil until the database has been set up.
    package var server: MongoServer? { state.withLock { $0.server } }

    /// Why the store cannot be used at present; nil when it can, as far as is known.
    package var unavailableReason: String? { state.withLock { $0.failure ?? ($0.server == nil ? "the database has not been reached yet" : nil) } }

    package var serverName: String? { server?.description }

    /// Once.
    package func register(in registry: MetricsRegistry) {
        let metrics = MongoStoreMetrics(self, in: registry)
        recorder.start(metrics)
        state.withLock { $0.metrics = metrics }
    }

    func prepared(_ server: MongoServer) {
        state.withLock { state in
            state.server = server
            state.failure = nil
            state.metrics?.set(server)
        }
    }

    func failed(_ reason: String) { state.withLock { $0.failure = reason } }
    /// Whether what others do to documents is noticed at once.
    var isFollowing: Bool {
        get { state.withLock { $0.isFollowing } }
        set { state.withLock { $0.isFollowing = newValue } }
    }
    var isFailed: Bool { state.withLock { $0.failure != nil || $0.server == nil } }

    private var place: String { options.server.description }

    private func use<Value: Sendable>(
        _ operation: String, isWrite: Bool = false, mayTakeLonger: Bool = false,
        _ body: @escaping @Sendable (MongoClient, MongoServer) throws(MongoError) -> Value
    ) async throws(StoreError) -> Value {
        let (server, failure) = state.withLock { ($0.server, $0.failure) }
        // A server that is known to be down is not waited for by each caller: `run` finds out when it is back.
        guard let server, failure == nil else {
            throw StoreError(.unavailable, operation: operation, path: place, detail: failure ?? "the database has not been reached yet")
        }
        do throws(MongoError) {
            let patience = mayTakeLonger ? options.questionMax : options.answerMax
            return try await pool.run(within: patience, unless: mayTakeLonger ? lost : nil) { (client) throws(MongoError) in
                try body(client, server)
            }
        } catch {
            // A question may be a large one: the check soon tells whether the server stands still.
            if error.isServerLost, !mayTakeLonger || error.reason != .timedOut { failed(error.description) }
            throw StoreError(error, operation: operation, place: place, isWrite: isWrite)
        }
    }

    /// That the server was found to be lost while somebody waits for it.
    @Sendable private func lost() -> MongoError? {
        state.withLock { $0.failure }.map { MongoError(.timedOut, operation: "answer", detail: $0) }
    }

    // MARK: Reading

    package func get(_ ids: [String], in collection: Collection) async throws -> [Document] {
        guard !ids.isEmpty else { return [] }
        return try await use("get documents") { (client, _) throws(MongoError) in
            try Self.read(ids, in: collection, client).compactMap(DocumentCoding.decode)
        }
    }

    package func find(_ query: DocumentQuery, in collection: Collection) async throws -> [Document] {
        guard let find = MongoQueries(collection).find(query) else { return [] }
        return try await use("find documents", mayTakeLonger: true) { (client, _) throws(MongoError) in
            var documents: [Document] = []
            try client.forEach(find, in: collection.name) { (stored) throws(MongoError) in
                if let document = DocumentCoding.decode(stored) { documents.append(document) }
            }
            return documents
        }
    }

    package func count(_ conditions: [DocumentCondition], in collection: Collection) async throws -> Int {
        guard let filter = MongoQueries(collection).filter(conditions) else { return 0 }
        return try await use("count documents", mayTakeLonger: true) { (client, _) throws(MongoError) in try client.count(filter, in: collection.name)
        }
    }

    private static func read(_ ids: [String], in collection: Collection, _ client: MongoClient) throws(MongoError) -> [BSONDocument] {
        var found: [BSONDocument] = []
        var rest = ids[...]
        while !rest.isEmpty {
            found += try client.find(MongoQueries.get(rest.prefix(idsMax)), in: collection.name)
            rest = rest.dropFirst(idsMax)
        }
        return found
    }

    // MARK: Changing

    package func apply(_ changes: [DocumentChange]) async throws {
        guard !changes.isEmpty else { return }
        try await use("change documents", isWrite: true) { (client, server) throws(MongoError) in
            try Self.again(client) { () throws(MongoError) in
                let plan = try MongoPlan(changes)
                try Self.perform(plan, client, server)
            }
        }
    }

    package func change(
        reading ids: [Collection: [String]], _ changes: @escaping @Sendable ([Collection: [Document]]) -> [DocumentChange]
    ) async throws {
        try await use("change documents", isWrite: true) { (client, server) throws(MongoError) in
            try Self.again(client) { () throws(MongoError) in
                if server.hasTransactions {
                    try client.transaction { (client) throws(MongoError) in
                        var found: [Collection: [Document]] = [:]
                        for (collection, ids) in ids {
                            found[collection] = try Self.read(ids, in: collection, client).compactMap(DocumentCoding.decode)
                        }
                        try MongoPlan(changes(found)).run(client)
                    }
                } else {
                    var found: [Collection: [Document]] = [:]
                    var revisions: [Collection: [String: Int64?]] = [:]
                    for (collection, ids) in ids {
                        let stored = try Self.read(ids, in: collection, client)
                        found[collection] = stored.compactMap(DocumentCoding.decode)
                        revisions[collection] = Self.revisions(of: ids, stored)
                    }
                    try MongoPlan(changes(found), revisions: revisions).run(client)
                }
            }
        }
    }

    private static func revisions(of ids: [String], _ found: [BSONDocument]) -> [String: Int64?] {
        var revisions = Dictionary(ids.map { ($0, Int64?.none) }) { first, _ in first }
        for document in found { if let id = document[FieldName.id]?.text { revisions[id] = .some(document[FieldName.revision]?.integer) } }
        return revisions
    }

    private static func perform(_ plan: MongoPlan, _ client: MongoClient, _ server: MongoServer) throws(MongoError) {
        guard server.hasTransactions, !plan.isSingleWrite else { return try plan.run(client) }
        try client.transaction { (client) throws(MongoError) in try plan.run(client) }
    }

    /// Again when another was faster: the id of what was to be made, or to be written unchanged, is taken.
    private static func again(_ client: MongoClient, _ body: () throws(MongoError) -> Void) throws(MongoError) {
        var backoff = Backoff(base: pauseBase, cap: pauseCap)
        for attempt in 1..<attemptsMax {
            do throws(MongoError) { return try body() } catch {
                guard error.reason == .duplicate || error.reason == .conflict || error.reason == .notUnique && attempt < uniqueAttemptsMax
                else { throw error }
                if client.isLate { throw error }
            }
            usleep(UInt32(clamping: backoff.next(random: Random.uint64()) * 1_000))
        }
        try body()
    }
}

extension MongoError {
    /// Whether others would fare no better: the server, its primary, its majority, or the way to it is gone.
    var isServerLost: Bool {
        switch reason {
        case .unreachable, .notPrimary, .disconnected, .authentication, .tls, .unsupportedServer, .outcomeUnknown, .writeConcern: true
        // What the server itself broke off was too large a question (MaxTimeMSExpired).
        case .timedOut: code != 50
        default: false
        }
    }
}
