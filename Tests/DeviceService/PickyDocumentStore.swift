import DocumentStores
import ServiceSupport
import Synchronization

/// A store that refuses one id, as one does whose rules or unique indexes a document breaks, and with it all that comes with it. It may also be down.
final class PickyDocumentStore: DocumentStore {
    private let base: any DocumentStore
    private let refused: String
    let isDown = Atomic(false)

    init(_ base: any DocumentStore, refusing id: String) {
        self.base = base
        refused = id
    }

    private func requireUp() throws {
        if isDown.load(ordering: .relaxed) { throw StoreError(.unavailable, operation: "ask", path: "here", detail: "it is down") }
    }

    func get(_ ids: [String], in collection: DocumentStores.Collection) async throws -> [Document] {
        try requireUp()
        return try await base.get(ids, in: collection)
    }
    func find(_ query: DocumentQuery, in collection: DocumentStores.Collection) async throws -> [Document] {
        try await base.find(query, in: collection)
    }
    func count(_ conditions: [DocumentCondition], in collection: DocumentStores.Collection) async throws -> Int {
        try await base.count(conditions, in: collection)
    }
    func apply(_ changes: [DocumentChange]) async throws { try await base.apply(changes) }
    func change(
        reading ids: [DocumentStores.Collection: [String]],
        _ changes: @escaping @Sendable ([DocumentStores.Collection: [Document]]) -> [DocumentChange]
    ) async throws {
        try requireUp()
        if ids.values.contains(where: { $0.contains(refused) }) {
            throw StoreError(.refused, operation: "change documents", path: "here", detail: "not this one")
        }
        try await base.change(reading: ids, changes)
    }
}
