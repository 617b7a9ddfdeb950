/// The role of the store that keeps documents. What `apply` has returned for is durable.
package protocol DocumentStore: Sendable {
    /// The documents with these ids, in no particular order; those that aren't there are left out.
    func get(_ ids: [String], in collection: Collection) async throws -> [Document]
    func find(_ query: DocumentQuery, in collection: Collection) async throws -> [Document]
    func count(_ conditions: [DocumentCondition], in collection: Collection) async throws -> Int
    /// All changes in order, in one transaction where the store has them. A single server of MongoDB has none: what broke off half-way there is mended
    /// when the same changes are asked for again, as they are for whatever was not acknowledged.
    func apply(_ changes: [DocumentChange]) async throws
    /// Reads documents and applies what follows from them: no other collector changes one that is written in between. Those that aren't there are left
    /// out. `changes` may be asked more than once, and where the store has no transactions again after a part of what it said was done.
    func change(_ ids: [String], in collection: Collection, _ changes: @escaping @Sendable ([Document]) -> [DocumentChange]) async throws
}

extension DocumentStore {
    package func get(_ id: String, in collection: Collection) async throws -> Document? { try await get([id], in: collection).first }

    package func upsert(_ document: Document, in collection: Collection) async throws { try await apply([.upsert(document, in: collection)]) }

    package func delete(_ id: String, in collection: Collection) async throws { try await apply([.delete(id, in: collection)]) }
}

package enum DocumentLimits {
    /// Documents of one answer.
    package static let foundMax = 100_000
}

/// A JSON object under an id.
package struct Document: Equatable, Sendable {
    package let id: String
    package let body: JSONValue

    package init(_ id: String, _ body: JSONValue) {
        self.id = id
        self.body = body
    }

    package subscript(_ field: String) -> JSONValue? { body[field] }
}

/// A comparison of a field's value; documents without the field don't match.
package struct DocumentCondition: Equatable, Sendable {
    package enum Comparison: Sendable {
        case equals, less
    }

    package let field: String
    package let comparison: Comparison
    /// Text, a number or a Boolean.
    package let value: JSONValue

    package static func equals(_ field: String, _ value: JSONValue) -> DocumentCondition {
        DocumentCondition(field: field, comparison: .equals, value: value)
    }

    package static func less(_ field: String, _ value: JSONValue) -> DocumentCondition {
        DocumentCondition(field: field, comparison: .less, value: value)
    }
}

/// Which documents are asked for: all conditions hold.
package struct DocumentQuery: Sendable {
    package enum Order: Equatable, Sendable {
        case id
        case ascending(String)
        case descending(String)
    }

    package let conditions: [DocumentCondition]
    package let order: Order
    package let limit: Int

    package init(_ conditions: [DocumentCondition] = [], order: Order = .id, limit: Int = DocumentLimits.foundMax) {
        self.conditions = conditions
        self.order = order
        self.limit = min(max(limit, 0), DocumentLimits.foundMax)
    }
}

/// A change of one collection.
package enum DocumentChange: Sendable {
    /// Writes the document in the place of one with its id.
    case upsert(Document, in: Collection)
    /// The same, unless the one that is there has a greater value in the field: what arrives late never overwrites what is newer.
    case upsertUnlessOlder(Document, by: String, in: Collection)
    case delete(String, in: Collection)
    case deleteAll([DocumentCondition], in: Collection)
    /// Deletes all but the documents with the greatest values of the field.
    case keepGreatest(Int, by: String, in: Collection)
}
