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
    func change(
        reading ids: [Collection: [String]], _ changes: @escaping @Sendable ([Collection: [Document]]) -> [DocumentChange]) async throws
}

extension DocumentStore {
    package func get(_ id: String, in collection: Collection) async throws -> Document? { try await get([id], in: collection).first }

    package func change(
        _ ids: [String], in collection: Collection, _ changes: @escaping @Sendable ([Document]) -> [DocumentChange]
    ) async throws {
        try await change(reading: [collection: ids]) { found in changes(found[collection] ?? []) }
    }

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
        case equals, less, atLeast
        /// The field is one of the collection's lists, and the value is in it.
        case contains
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

    package static func atLeast(_ field: String, _ value: JSONValue) -> DocumentCondition {
        DocumentCondition(field: field, comparison: .atLeast, value: value)
    }

    package static func contains(_ field: String, _ value: String) -> DocumentCondition {
        DocumentCondition(field: field, comparison: .contains, value: .string(value))
    }
}

/// A place in an order: that of the last document of a page.
package struct DocumentCursor: Equatable, Sendable {
    /// Of the field that the order goes by; nil where it goes by id, or the document has no such field.
    package let value: JSONValue?
    package let id: String

    package init(value: JSONValue?, id: String) {
        self.value = value
        self.id = id
    }

    /// The place of a document in an order.
    package init(_ document: Document, _ order: DocumentQuery.Order) {
        if case .ascending(let field) = order, let value = document[field], value != .null { self.value = value } else { value = nil }
        id = document.id
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
    /// Only what comes behind it, by id or ascending; nil is all.
    package let after: DocumentCursor?

    package init(
        _ conditions: [DocumentCondition] = [], order: Order = .id, limit: Int = DocumentLimits.foundMax, after: DocumentCursor? = nil
    ) {
        if case .descending = order { precondition(after == nil, "what is read backwards has no pages") }
        self.conditions = conditions
        self.order = order
        self.after = after
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
