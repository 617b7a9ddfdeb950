import MongoDriver

extension MongoDocumentOptions {
    /// What had better be otherwise in the URI, for a server that answers; nil when nothing.
    package func advice(on server: MongoServer) -> String? {
        // Of several hosts, and of those that DNS names, libmongoc looks for the primary by itself.
        guard let setName = server.setName, self.server.replicaSet == nil, !self.server.text.hasPrefix("mongodb+srv:"),
            !self.server.addresses.contains(",")
        else { return nil }
        return "add replicaSet=\(setName) to documents.mongo.uri: without it this one member is spoken to, also when another is primary"
    }
}
