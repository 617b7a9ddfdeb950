import MongoDriver

/// An index that a collection has, whoever made it.
struct IndexThere {
    let name: String
    private let keys: [(field: String, direction: Int64)]
    private let isUnique: Bool
    private let expiry: Int64?

    /// - Parameter description: what listIndexes says of it; nil comes out for one of another kind (partial, sparse, by another collation, of texts or places,
    ///   hashed), which stands beside any of ours.
    init?(_ description: BSONDocument) {
        guard let name = description["name"]?.text, let key = description["key"]?.document,
            description["partialFilterExpression"] == nil, description["collation"] == nil, description["sparse"]?.bool != true
        else { return nil }
        var keys: [(field: String, direction: Int64)] = []
        for member in key.members {
            guard let direction = member.value.integer else { return nil }
            keys.append((member.name, direction))
        }
        self.name = name
        self.keys = keys
        isUnique = description["unique"]?.bool ?? false
        expiry = description["expireAfterSeconds"]?.integer
    }

    /// Whether it is by the same fields: the server takes no second one, so that it does for ours or has to give way.
    func hasKeys(of index: MongoCollection.Index) -> Bool {
        keys.count == index.keys.count && zip(keys, index.keys).allSatisfy { $0.field == $1.field && $0.direction == Int64($1.direction) }
    }

    /// Whether it does what ours does, under whatever name.
    func does(for index: MongoCollection.Index) -> Bool { hasKeys(of: index) && isUnique == index.isUnique && expiry == index.expiry }
}
