import CollectorFixtures
import DocumentStores
import Foundation
import MongoDriver
import MongoFixtures
import MongoStores

/// A store on a real server, in a database for each scratch directory, and the task that keeps it.
final class RunningDocumentStore: DocumentStore {
    struct NotReady: Error, CustomStringConvertible { let description: String }

    let store: MongoDocumentStore
    private let task: Task<Void, Never>

    init(_ options: MongoDocumentOptions) throws {
        let store = try MongoDocumentStore(options)
        self.store = store
        task = Task { await store.run() }
    }

    deinit { task.cancel() }

    static func start(_ kind: MongoDeployment.Kind, at scratch: ScratchDirectory) async throws -> RunningDocumentStore {
        // The directory's name is what two stores in one place have in common.
        let name = "test_" + (scratch.path.split(separator: "/").last.map { $0.suffix(20) } ?? "").filter { $0.isLetter || $0.isNumber }
        return try await started(MongoDocumentOptions(SharedMongo.deployment(kind).options(database: name)))
    }

    /// - Parameter answerMax: far more than the collector's, for a machine that has all tests to do at once.
    static func started(_ options: MongoDocumentOptions, answerMax: Duration = .seconds(60)) async throws -> RunningDocumentStore {
        var options = options
        options.answerMax = answerMax
        let running = try RunningDocumentStore(options)
        try await running.waitUntilReady()
        return running
    }

    func waitUntilReady(seconds: Int = 60) async throws {
        for _ in 0..<seconds * 50 {
            if store.unavailableReason == nil { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw NotReady(description: store.unavailableReason ?? "")
    }

    func get(_ ids: [String], in collection: DocumentStores.Collection) async throws -> [Document] { try await store.get(ids, in: collection) }
    func find(_ query: DocumentQuery, in collection: DocumentStores.Collection) async throws -> [Document] {
        try await store.find(query, in: collection)
    }
    func count(_ conditions: [DocumentCondition], in collection: DocumentStores.Collection) async throws -> Int {
        try await store.count(conditions, in: collection)
    }
    func apply(_ changes: [DocumentChange]) async throws { try await store.apply(changes) }
    func change(
        reading ids: [DocumentStores.Collection: [String]],
        _ changes: @escaping @Sendable ([DocumentStores.Collection: [Document]]) -> [DocumentChange]
    ) async throws {
        try await store.change(reading: ids, changes)
    }
}
