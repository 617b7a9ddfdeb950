import DocumentStores
import MongoDriver

/// The role's questions in MongoDB's words.
package struct MongoQueries {
    private let coding: DocumentCoding

    package init(_ collection: Collection) { coding = DocumentCoding(collection) }

    /// Documents for which all conditions hold; nil when that can be none: nothing equals null, a list or an object.
    func filter(_ conditions: [DocumentCondition]) -> BSONDocument? {
        var terms: [BSONValue] = []
        for condition in conditions {
            switch condition.value {
            case .null, .array, .object: return nil
            case .bool, .integer, .number, .string: break
            }
            let comparison =
                switch condition.comparison {
                // An array equals what is in it.
                case .equals, .contains: "$eq"
                case .less: "$lt"
                case .atLeast: "$gte"
                }
            let value: BSONValue = .document([comparison: coding.value(condition.value, of: condition.field)])
            terms.append(.document(BSONDocument([(condition.field, value)])))
        }
        switch terms.count {
        case 0: return [:]
        case 1: return terms[0].document
        default: return ["$and": .array(terms)]
        }
    }

    package func find(_ query: DocumentQuery) -> MongoFind? {
        guard let filter = filter(query.conditions) else { return nil }
        guard let after = query.after else { return MongoFind(filter, sort: Self.sort(query.order), limit: query.limit) }
        let behind: BSONValue = .document(behind(after, query.order))
        let whole: BSONValue = filter.isEmpty ? .array([behind]) : .array([.document(filter), behind])
        return MongoFind(["$and": whole], sort: Self.sort(query.order), limit: query.limit)
    }

    /// What comes behind a place; what has no such field comes first.
    private func behind(_ cursor: DocumentCursor, _ order: DocumentQuery.Order) -> BSONDocument {
        let isLater: BSONValue = ["$gt": .string(cursor.id)]
        guard case .ascending(let field) = order else { return BSONDocument([(FieldName.id, isLater)]) }
        guard let value = cursor.value.map({ coding.value($0, of: field) }) else {
            let alike: BSONValue = .document(BSONDocument([(field, .null), (FieldName.id, isLater)]))
            let isThere: BSONValue = .document(["$ne": .null])
            return ["$or": .array([alike, .document(BSONDocument([(field, isThere)]))])]
        }
        let greater: BSONValue = .document(BSONDocument([("$gt", value)]))
        let same: BSONValue = .document(BSONDocument([(field, value), (FieldName.id, isLater)]))
        return ["$or": .array([.document(BSONDocument([(field, greater)])), same])]
    }

    /// Ids as in the embedded make: by their bytes.
    private static func sort(_ order: DocumentQuery.Order) -> BSONDocument {
        switch order {
        case .id: [FieldName.id: 1]
        case .ascending(let field): BSONDocument([(field, 1), (FieldName.id, 1)])
        case .descending(let field): BSONDocument([(field, -1), (FieldName.id, -1)])
        }
    }

    package static func get(_ ids: some Swift.Collection<String>) -> MongoFind {
        MongoFind([FieldName.id: ["$in": .array(ids.map { .string($0) })]], limit: ids.count)
    }

    // MARK: Keeping the greatest

    /// The first document that goes when `count` are kept.
    package static func firstBeyond(_ count: Int, by field: String) -> MongoFind {
        MongoFind([:], sort: sort(.descending(field)), projection: BSONDocument([(field, 1)]), skip: count, limit: 1)
    }

    /// That one, and all that come after it in the order.
    static func from(_ first: BSONDocument, by field: String) -> BSONDocument {
        let id = first[FieldName.id] ?? .null
        let hasNone = BSONDocument([(field, .null)])
        let isBefore: BSONValue = ["$lte": id]
        guard let value = first[field], value != .null else {
            return ["$and": .array([.document(hasNone), .document(BSONDocument([(FieldName.id, isBefore)]))])]
        }
        let isLess: BSONValue = .document(BSONDocument([("$lt", value)]))
        let less = BSONDocument([(field, isLess)])
        let same = BSONDocument([(field, value), (FieldName.id, isBefore)])
        return ["$or": .array([.document(less), .document(same), .document(hasNone)])]
    }
}
