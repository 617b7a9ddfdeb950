import DocumentStores
import MongoDriver

/// Documents as MongoDB keeps them: the id as `_id`, the body's members beside it. Times, which are milliseconds in JSON, are dates there, so that
/// indexes can let them expire and people can read them.
struct DocumentCoding {
    let rules: MongoCollection

    init(_ collection: Collection) { rules = .of(collection) }

    // MARK: Writing

    /// - Parameter revision: see `FieldName.revision`.
    func encode(_ document: Document, revision: Int64) throws(MongoError) -> BSONDocument {
        guard let members = document.body.object else { throw refusal("a document is an object") }
        if let identity = rules.identity, members[identity] != .string(document.id) { throw refusal("field \(identity) is not the document's id") }
        var encoded: BSONDocument = [FieldName.id: .string(document.id), FieldName.revision: .int64(revision)]
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            encoded.append(FieldName.encoded(name, isTop: true), self.value(value, of: name))
        }
        return encoded
    }

    private func refusal(_ detail: String) -> MongoError { MongoError(.validation, operation: "write into " + rules.name, detail: detail) }

    /// The value of a field as it is stored, and compared with.
    func value(_ value: JSONValue, of field: String) -> BSONValue {
        if rules.dates.contains(field), let milliseconds = value.integer { return .date(milliseconds) }
        return Self.encode(value)
    }

    private static func encode(_ value: JSONValue) -> BSONValue {
        switch value {
        case .null: .null
        case .bool(let bool): .bool(bool)
        case .integer(let integer): .int64(integer)
        // JSON has no NaN and no infinities.
        case .number(let number): number.isFinite ? .double(number) : .null
        case .string(let text): .string(text)
        case .array(let elements): .array(elements.map(encode))
        case .object(let members):
            .document(BSONDocument(members.sorted { $0.key < $1.key }.map { (FieldName.encoded($0.key, isTop: false), encode($0.value)) }))
        }
    }

    // MARK: Reading

    /// Nil for a document that is none of ours: its id is no text.
    static func decode(_ stored: BSONDocument) -> Document? {
        guard let id = stored[FieldName.id]?.text else { return nil }
        var members: [String: JSONValue] = [:]
        for (name, value) in stored.members where name != FieldName.id && name != FieldName.revision {
            members[FieldName.decoded(name)] = decode(value)
        }
        return Document(id, .object(members))
    }

    private static func decode(_ value: BSONValue) -> JSONValue {
        switch value {
        case .double(let number): .number(number)
        case .string(let text): .string(text)
        case .document(let document): .object(Dictionary(document.members.map { (FieldName.decoded($0.name), decode($0.value)) }) { _, last in last })
        case .array(let elements): .array(elements.map(decode))
        case .bool(let bool): .bool(bool)
        case .date(let milliseconds): .integer(milliseconds)
        case .int32(let integer): .integer(Int64(integer))
        case .int64(let integer): .integer(integer)
        case .null, .binary, .objectId, .other: .null
        }
    }
}
