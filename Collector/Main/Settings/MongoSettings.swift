import MongoDriver
import MongoStores
import Settings

extension SettingsReader {
    private static let connectionsRange: ClosedRange<Int64> = 1...100
    /// An expiry is a number of seconds of 32 bits in an index; this is 20 years.
    private static let keptRange: ClosedRange<Int64> = 3_600_000...630_720_000_000

    /// The keys under `documents.mongo`; nil when no server is named.
    mutating func mongo() -> MongoDocumentOptions? {
        let uri = optionalString("documents.mongo.uri")
        let passwordFile = optionalString("documents.mongo.password_file")
        let database = optionalString("documents.mongo.database")
        let connections = integer("documents.mongo.connections_max", default: 8, in: Self.connectionsRange)
        let eventsKept = mongoEventsKept()
        guard let uri else {
            if passwordFile != nil { refuse("documents.mongo.password_file", "documents.mongo.uri is not set") }
            if database != nil { refuse("documents.mongo.database", "documents.mongo.uri is not set") }
            return nil
        }
        guard var server = refusing("documents.mongo.uri", { () throws(MongoError) in try MongoOptions(uri) }) else { return nil }
        server.connectionsMax = Int(connections)
        if let database {
            let isSet: Void? = refusing("documents.mongo.database") { () throws(MongoError) in try server.set(database: database) }
            if isSet == nil { return nil }
        }
        if let passwordFile {
            guard let password = password(in: passwordFile, of: "documents.mongo.password_file") else { return nil }
            let isSet: Void? = refusing("documents.mongo.password_file") { () throws(MongoError) in try server.set(password: password) }
            if isSet == nil { return nil }
        }
        if server.isPasswordMissing {
            refuse("documents.mongo.uri", "it names a user without a password: add documents.mongo.password_file")
            return nil
        }
        for (option, path) in server.files where !canRead(path) { refuse("documents.mongo.uri", option + ": cannot read " + path) }
        return MongoDocumentOptions(server, eventsKept: eventsKept)
    }

    private mutating func refusing<Value>(_ key: String, _ body: () throws(MongoError) -> Value) -> Value? {
        do throws(MongoError) { return try body() } catch {
            refuse(key, error.detail)
            return nil
        }
    }

    private mutating func mongoEventsKept() -> Duration? {
        value("documents.mongo.events_kept", default: nil, expected: "forever, or a duration of 1h to 7300d") { text in
            if text == "forever" { return .some(nil) }
            return SettingsUnits.milliseconds(text).flatMap { Self.keptRange.contains($0) ? .some(.milliseconds($0)) : nil }
        }
    }
}
