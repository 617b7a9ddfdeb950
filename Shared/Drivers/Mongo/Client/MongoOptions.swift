import CMongo
import Synchronization

/// Where a server is and how it is spoken to: a URI, <https://www.mongodb.com/docs/v6.0/reference/connection-string/>, with what this program
/// always asks for.
package struct MongoOptions: Sendable, CustomStringConvertible {
    /// In use when the URI names none.
    package static let databaseDefault = "farwatch"
    private static let databaseLengthMax = 63

    package private(set) var text: String
    package private(set) var database: String
    /// `host:port`, separated by commas.
    package let addresses: String
    package let replicaSet: String?
    package let usesTLS: Bool
    /// Of the client's certificate and key.
    let certificateFile: String?
    /// Files that the URI names for TLS, by the names of its options.
    package let files: [(option: String, path: String)]
    private let asksForPassword: Bool
    private(set) var username: String?
    private(set) var password: String?
    package var connectionsMax = 8
    /// How long a server that is fit for the work is looked for. The URI's `serverSelectionTimeoutMS` goes before it.
    package var selectionTimeout: Int32 = 5_000
    package var connectTimeout: Int32 = 5_000
    /// How often each server is asked how it is: one that stands still is known as such after this and `connectTimeout`. The URI's
    /// `heartbeatFrequencyMS` goes before it.
    package var heartbeatInterval: Int32 = 2_000
    /// How long an answer is waited for, with `socketTimeoutMS`.
    package var answerTimeout: Int32 = 30_000
    /// How long the server may work at one question.
    package var questionTimeout: Int64 = 20_000
    /// How long a write waits for the majority, milliseconds.
    package var writeTimeout: Int32 = 20_000

    package init(_ text: String) throws(MongoError) {
        self.text = text
        let (parsed, warnings) = MongoLibrary.collectingWarnings { ParsedURI(text) }
        if case .failure(let message) = parsed.result { throw Self.error(Self.without(Self.secrets(of: text), in: message)) }
        guard case .success(let found) = parsed.result else { throw Self.error("it cannot be read") }
        if let warning = warnings.first { throw Self.error(Self.without(Self.secrets(of: text), in: warning)) }
        addresses = found.addresses
        replicaSet = found.replicaSet
        usesTLS = found.usesTLS
        certificateFile = found.usesTLS ? found.certificateFile : nil
        files = found.usesTLS ? found.files : []
        asksForPassword = found.asksForPassword
        username = found.username
        password = found.password
        database = found.database ?? Self.databaseDefault
        guard found.addresses.split(separator: ",").allSatisfy(Self.canBeAddress) else { throw Self.error("a host in it is none") }
        guard !found.isUnacknowledged else { throw Self.error("w=0 lets writes go unnoticed; leave it out") }
        guard found.isPrimaryRead else { throw Self.error("readPreference other than primary answers with what is no longer so; leave it out") }
        guard found.retriesWrites else { throw Self.error("retryWrites=false makes every change of the primary a failure; leave it out") }
    }

    package mutating func set(database: String) throws(MongoError) {
        let forbidden = "/\\. \"$*<>:|?"
        guard !database.isEmpty, database.utf8.count <= Self.databaseLengthMax, !database.contains(where: { forbidden.contains($0) || $0 == "\0" })
        else { throw Self.error("\(database) is no name of a database") }
        self.database = database
    }

    package mutating func set(password: String) throws(MongoError) {
        guard username != nil else { throw Self.error("a password is given, but the URI names no user") }
        self.password = password
    }

    /// The URI names a user who comes in by a password, and there is none: libmongoc would end the program when it logs in.
    package var isPasswordMissing: Bool { username != nil && password == nil && asksForPassword }

    /// Addresses and database, no user and no password.
    package var description: String { addresses + "/" + database }

    /// The same servers by whatever name of a set they go; nil when none is asked for.
    package var withoutReplicaSet: MongoOptions? {
        guard replicaSet != nil, let question = text.firstIndex(of: "?") else { return nil }
        // Names of options are told apart without regard to case.
        let options = text[text.index(after: question)...].split(separator: "&").filter { !$0.lowercased().hasPrefix("replicaset=") }
        guard var other = try? MongoOptions(String(text[...question]) + options.joined(separator: "&")) else { return nil }
        (other.database, other.password) = (database, password)
        return other
    }

    /// A new URI of libmongoc's with all of it; to be destroyed by the caller.
    func makeURI() -> OpaquePointer? {
        guard let uri = mongoc_uri_new_with_error(text, nil) else { return nil }
        if let password { mongoc_uri_set_password(uri, password) }
        for (name, value) in [
            (MONGOC_URI_SERVERSELECTIONTIMEOUTMS, selectionTimeout), (MONGOC_URI_CONNECTTIMEOUTMS, connectTimeout),
            (MONGOC_URI_SOCKETTIMEOUTMS, answerTimeout), (MONGOC_URI_HEARTBEATFREQUENCYMS, heartbeatInterval),
        ] where !mongoc_uri_has_option(uri, name) { mongoc_uri_set_option_as_int32(uri, name, value) }
        // "The default … is 100", which is more threads than wait for it.
        mongoc_uri_set_option_as_int32(uri, MONGOC_URI_MAXPOOLSIZE, Int32(clamping: connectionsMax))
        if !mongoc_uri_has_option(uri, MONGOC_URI_APPNAME) { mongoc_uri_set_appname(uri, "farwatch") }
        mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYWRITES, true)
        mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYREADS, true)
        setWriteConcern(uri)
        return uri
    }

    /// What is acknowledged has to survive the loss of a server, and of its power.
    private func setWriteConcern(_ uri: OpaquePointer) {
        let concern = mongoc_write_concern_copy(mongoc_uri_get_write_concern(uri))
        defer { mongoc_write_concern_destroy(concern) }
        mongoc_write_concern_set_wmajority(concern, writeTimeout)
        mongoc_write_concern_set_journal(concern, true)
        mongoc_uri_set_write_concern(uri, concern)
    }

    // MARK: Secrets

    /// Passwords from this length on do not stand in other words by chance.
    private static let tellingMin = 4

    /// A message that may quote the URI, without its user and password.
    func withoutSecrets(_ message: String) -> String {
        // Taken out wherever it stands by chance, a short one would be told by the gaps.
        if let password = password ?? Self.secrets(of: text).first, password.count < Self.tellingMin, message.contains(password) {
            return "its words are not shown, as they may tell the password, which is very short"
        }
        return Self.without(Self.secrets(of: text) + (password.map { [$0] } ?? []), in: message)
    }

    private static func without(_ secrets: [String], in message: String) -> String {
        secrets.filter { !$0.isEmpty }.reduce(message) { text, secret in
            text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "…")
        }
    }

    /// The password as it stands in a URI, and what of it libmongoc may quote by itself.
    private static func secrets(of text: String) -> [String] {
        guard let start = text.firstRange(of: "://")?.upperBound, let end = text[start...].lastIndex(of: "@") else { return [] }
        let info = text[start..<end]
        guard let colon = info.firstIndex(of: ":") else { return [] }
        let password = info[info.index(after: colon)...]
        return [String(password)] + password.split { ":/@".contains($0) }.map(String.init)
    }

    /// libmongoc takes anything for a host.
    private static func canBeAddress(_ address: Substring) -> Bool {
        // A socket's path, or an address of IPv6.
        if address.hasPrefix("/") { return true }
        if address.hasPrefix("[") { return address.contains("]") }
        return address.utf8.allSatisfy { byte in
            (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A || byte >= 0x30 && byte <= 0x3A || byte == 0x2D || byte == 0x2E || byte == 0x5F
        }
    }

    private static func error(_ detail: String) -> MongoError { MongoError(.configuration, operation: "read the URI", detail: detail) }
}

/// What libmongoc finds in a URI.
private struct ParsedURI: Sendable {
    struct Found: Sendable {
        let addresses: String
        let database, replicaSet, username, password, certificateFile: String?
        let files: [(option: String, path: String)]
        let usesTLS, asksForPassword, isUnacknowledged, isPrimaryRead, retriesWrites: Bool
    }

    enum Outcome: Sendable {
        case success(Found)
        case failure(String)
    }

    /// Of <https://www.mongodb.com/docs/v6.0/core/authentication/>; with the others a user is known by a certificate, a ticket or a role.
    private static let passwordMechanisms: Set = ["SCRAM-SHA-1", "SCRAM-SHA-256", "PLAIN", "MONGODB-CR"]

    let result: Outcome

    init(_ text: String) {
        var error = bson_error_t()
        guard let uri = mongoc_uri_new_with_error(text, &error) else {
            result = .failure(withUnsafePointer(to: error) { String(cString: farwatch_mongo_message($0)) })
            return
        }
        defer { mongoc_uri_destroy(uri) }
        let concern = mongoc_uri_get_write_concern(uri)
        let preferences = mongoc_uri_get_read_prefs_t(uri)
        result = .success(
            Found(
                addresses: Self.addresses(uri), database: Self.text(mongoc_uri_get_database(uri)),
                replicaSet: Self.text(mongoc_uri_get_replica_set(uri)), username: Self.text(mongoc_uri_get_username(uri)),
                password: Self.text(mongoc_uri_get_password(uri)),
                certificateFile: Self.text(mongoc_uri_get_option_as_utf8(uri, MONGOC_URI_TLSCERTIFICATEKEYFILE, nil)),
                files: [MONGOC_URI_TLSCAFILE, MONGOC_URI_TLSCERTIFICATEKEYFILE].compactMap { name in
                    Self.text(mongoc_uri_get_option_as_utf8(uri, name, nil)).map { (name, $0) }
                },
                usesTLS: mongoc_uri_get_tls(uri),
                asksForPassword: Self.passwordMechanisms.contains(Self.text(mongoc_uri_get_auth_mechanism(uri)) ?? "SCRAM-SHA-256"),
                isUnacknowledged: !mongoc_write_concern_is_acknowledged(concern),
                isPrimaryRead: mongoc_read_prefs_get_mode(preferences) == MONGOC_READ_PRIMARY,
                retriesWrites: mongoc_uri_get_option_as_bool(uri, MONGOC_URI_RETRYWRITES, true)))
    }

    private static func text(_ pointer: UnsafePointer<CChar>?) -> String? { pointer.map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 } }

    private static func addresses(_ uri: OpaquePointer) -> String {
        var hosts: [String] = []
        var next = mongoc_uri_get_hosts(uri)
        while let host = next {
            hosts.append(
                withUnsafePointer(to: host.pointee.host_and_port) {
                    UnsafeRawPointer($0).withMemoryRebound(to: CChar.self, capacity: 1) { String(cString: $0) }
                })
            next = UnsafePointer(host.pointee.next)
        }
        return hosts.isEmpty ? Self.text(mongoc_uri_get_srv_hostname(uri)) ?? "" : hosts.joined(separator: ",")
    }
}
