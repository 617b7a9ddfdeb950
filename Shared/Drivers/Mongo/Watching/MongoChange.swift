/// What a change stream tells, <https://www.mongodb.com/docs/v6.0/reference/change-events/>.
package enum MongoChange: Equatable, Sendable {
    /// A document was written. `fields` are those of it that were asked for, as far as the write named them.
    case written(id: BSONValue, in: String, fields: BSONDocument)
    case deleted(id: BSONValue, in: String)
    /// A collection, or all of them, went or got another name: anything may be different.
    case dropped

    /// Nil for what is of no concern.
    init?(_ event: BSONDocument) {
        guard let type = event["operationType"]?.text else { return nil }
        if ["drop", "rename", "dropDatabase", "invalidate"].contains(type) {
            self = .dropped
            return
        }
        guard let collection = event["ns"]?.document?["coll"]?.text, let id = event["documentKey"]?.document?["_id"] else { return nil }
        switch type {
        case "insert", "replace": self = .written(id: id, in: collection, fields: event["fullDocument"]?.document ?? BSONDocument())
        case "update":
            let fields = event["updateDescription"]?.document?["updatedFields"]?.document
            self = .written(id: id, in: collection, fields: fields ?? BSONDocument())
        case "delete": self = .deleted(id: id, in: collection)
        default: return nil
        }
    }
}

/// What of the changes of a database is asked for.
package struct MongoWatch: Sendable {
    let collections: [String]
    let fields: [String]

    /// - Parameter fields: of documents, that come with what was written.
    package init(_ collections: [String], fields: [String] = []) {
        self.collections = collections
        self.fields = fields
    }

    /// The stages of the stream.
    var pipeline: BSONDocument {
        let named: BSONValue = ["ns.coll": ["$in": .array(collections.map { .string($0) })]]
        let all: BSONValue = ["operationType": ["$in": ["dropDatabase", "invalidate"]]]
        var shown: BSONDocument = ["operationType": 1, "ns": 1, "documentKey": 1]
        for field in fields {
            shown.append("fullDocument." + field, 1)
            shown.append("updateDescription.updatedFields." + field, 1)
        }
        return ["pipeline": [["$match": ["$or": [named, all]]], ["$project": .document(shown)]]]
    }
}

extension MongoError {
    /// InvalidResumeToken, ChangeStreamFatalError, ChangeStreamHistoryLost: what was changed meanwhile is not to be had any more.
    private static let historyLost: Set<Int> = [260, 280, 286]

    /// A stream can go on only from now.
    package var isHistoryLost: Bool { code.map { Self.historyLost.contains($0) } ?? false }
}
