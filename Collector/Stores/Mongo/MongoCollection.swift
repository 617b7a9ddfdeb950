import DocumentStores
import MongoDriver

/// A collection as MongoDB keeps it: which fields are dates, its indexes, the rules that its documents keep to, and how it is spread.
package struct MongoCollection: Sendable {
    package struct Index: Sendable {
        package let keys: [(field: String, direction: Int32)]
        package let isUnique: Bool
        /// Documents go so many seconds after the date in its one field; nil is never.
        package var expiry: Int64?

        init(_ fields: String..., isUnique: Bool = false, expiry: Int64? = nil) {
            keys = fields.map { ($0, 1) }
            self.isUnique = isUnique
            self.expiry = expiry
        }

        package var name: String { keys.map { $0.field + "_" + String($0.direction) }.joined(separator: "_") }
    }

    package let name: String
    /// The field that holds the document's id under the name that the data model gives it.
    package let identity: String?
    package let dates: Set<String>
    package var indexes: [Index]
    let required: [String]
    let properties: BSONDocument
    /// Where a cluster puts a document. An id that is random or of a device's choosing is hashed.
    package let shardKey: BSONDocument

    init(
        _ name: String, identity: String? = nil, dates: Set<String> = [], indexes: [Index] = [], required: [String] = [],
        properties: BSONDocument = [:]
    ) {
        self.name = name
        self.identity = identity
        self.dates = dates
        self.indexes = (identity.map { [Index($0, isUnique: true)] } ?? []) + indexes
        self.required = required
        self.properties = properties
        // A unique index of a sharded collection has to begin with the shard key.
        shardKey = identity.map { BSONDocument([($0, 1)]) } ?? [FieldName.id: "hashed"]
    }

    /// What a document has to keep to be taken.
    package var validator: BSONDocument {
        var properties = properties
        for date in dates.sorted() { properties[date] = ["bsonType": "date"] }
        if let identity { properties[identity] = ["bsonType": "string", "minLength": 1] }
        properties[FieldName.id] = ["bsonType": "string", "minLength": 1]
        var schema: BSONDocument = ["bsonType": "object", "properties": .document(properties)]
        let required = (identity.map { [$0] } ?? []) + required
        if !required.isEmpty { schema.append("required", .array(required.map { .string($0) })) }
        return ["$jsonSchema": .document(schema)]
    }

    // MARK: The rules of each

    static let text: BSONValue = ["bsonType": "string"]
    static let whole: BSONValue = ["bsonType": ["long", "int"]]
    static let number: BSONValue = ["bsonType": ["double", "long", "int"]]
    static let bool: BSONValue = ["bsonType": "bool"]
    static let object: BSONValue = ["bsonType": "object"]
    static let texts: BSONValue = ["bsonType": "array", "items": ["bsonType": "string"]]

    /// The rules of a collection that services use.
    static func of(_ collection: Collection) -> MongoCollection {
        guard let found = byName[collection.name] else { preconditionFailure("every collection is in the catalogue") }
        return found
    }

    private static let byName = Dictionary(all.map { ($0.name, $0) }) { first, _ in first }
}
