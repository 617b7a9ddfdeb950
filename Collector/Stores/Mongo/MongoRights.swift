import MongoDriver

/// What the collector's user must be able to do in its database.
package enum MongoRights {
    /// Of the roles readWrite and dbAdmin, what is made use of.
    private static let needed: Set<String> = [
        "find", "insert", "update", "remove", "createCollection", "createIndex", "dropIndex", "collMod",
    ]

    /// The actions that the user lacks, in order; none where the server asks nobody who they are.
    package static func missing(_ client: MongoClient) throws(MongoError) -> [String] {
        let status = try client.command(["connectionStatus": 1, "showPrivileges": true])
        return missing(in: status["authInfo"]?.document ?? [:], on: client.database)
    }

    /// - Parameter information: `authInfo` of connectionStatus.
    package static func missing(in information: BSONDocument, on database: String) -> [String] {
        guard information["authenticatedUsers"]?.array?.isEmpty == false else { return [] }
        var granted: Set<String> = []
        for privilege in information["authenticatedUserPrivileges"]?.array ?? [] {
            guard let resource = privilege.document?["resource"]?.document, covers(resource, database) else { continue }
            granted.formUnion((privilege.document?["actions"]?.array ?? []).compactMap { $0.text })
        }
        return needed.subtracting(granted).sorted()
    }

    /// Whether a privilege is for all collections of the database.
    private static func covers(_ resource: BSONDocument, _ database: String) -> Bool {
        if resource["anyResource"]?.bool == true { return true }
        guard let name = resource["db"]?.text, resource["collection"]?.text == "" else { return false }
        return name.isEmpty || name == database
    }
}
