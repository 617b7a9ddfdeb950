import CPostgres

/// Where a server is and how it is spoken to. What is not given comes from where libpq takes it: `PG…` variables, the service file, `~/.pgpass`.
package struct PostgresOptions: Sendable, CustomStringConvertible {
    /// libpq's values of `sslmode`.
    package enum TLSMode: String, Sendable, CaseIterable {
        case disable, allow, prefer, require
        case verifyAuthority = "verify-ca"
        case verifyFull = "verify-full"
    }

    /// libpq's keywords and their values.
    package private(set) var keywords: [String: String]
    /// How long one address is tried.
    package var connectTimeout: Duration = .seconds(10)
    /// How long the server works at one statement.
    package var statementTimeout: Duration = .seconds(30)
    package var lockTimeout: Duration = .seconds(5)
    /// How long a transaction may wait for us before the server ends the connection.
    package var idleInTransactionTimeout: Duration = .seconds(60)
    /// How long after the server's own time-out an answer is waited for, and how long after a cancel, before the connection is given up.
    package var grace: Duration = .seconds(5)
    /// How long an answer is still waited for that nobody wants any more, before the connection is given up: who stops waits for it.
    package var interruptGrace: Duration = .seconds(2)
    /// Told of the server's notices and warnings, on the connection's thread.
    package var onNotice: @Sendable (PostgresNotice) -> Void = { _ in }

    /// - Parameter text: a URI (`postgres://user@host:5432/database?sslmode=verify-full`) or libpq's keywords (`host=… dbname=…`).
    package init(_ text: String) throws(PostgresError) {
        var message: UnsafeMutablePointer<CChar>?
        guard let parsed = PQconninfoParse(text, &message) else {
            defer { PQfreemem(message) }
            throw PostgresError(
                .configuration, operation: "read the connection string", detail: Self.complaint(message.map { String(cString: $0) } ?? ""))
        }
        defer { PQconninfoFree(parsed) }
        keywords = [:]
        var option = parsed
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { keywords[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        // libpq looks at it when it connects.
        for port in keywords["port"]?.split(separator: ",") ?? [] where UInt16(port) ?? 0 == 0 {
            throw PostgresError(.configuration, operation: "read the connection string", detail: "\(port) is no port: 1 to 65535")
        }
    }

    /// libpq quotes the part that it does not understand, which may be of the password: so its words are not told.
    private static func complaint(_ message: String) -> String {
        if message.hasPrefix("invalid URI query parameter") { return "an option behind its ? is none that libpq knows" }
        if message.hasPrefix("invalid connection option") { return "a keyword in it is none that libpq knows" }
        if message.hasPrefix("invalid percent-encoded token") {
            return "a % in it is not followed by two hexadecimal digits; a % that is meant is written %25"
        }
        return "it is neither a postgres:// URI nor keywords of libpq"
    }

    package mutating func set(_ keyword: String, _ value: String) { keywords[keyword] = value }
    package mutating func set(tlsMode: TLSMode) { keywords["sslmode"] = tlsMode.rawValue }
    /// A file of libpq's format, `host:port:database:user:password`, that only its owner can read: libpq passes over any other.
    package mutating func set(passwordFile: String) { keywords["passfile"] = passwordFile }

    /// Addresses and database, no user and no password.
    package var description: String {
        let hosts = Self.list(keywords["host"] ?? keywords["hostaddr"] ?? "local")
        let ports = Self.list(keywords["port"] ?? "5432")
        let addresses = hosts.enumerated().map { index, host in host + ":" + ports[min(index, ports.count - 1)] }
        return addresses.joined(separator: ",") + "/" + (keywords["dbname"] ?? "")
    }

    private static func list(_ text: String) -> [String] { text.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }

    /// How long an answer is waited for at most. The server's own time-out comes first.
    var answerTimeout: Duration { statementTimeout == .zero ? .zero : statementTimeout + grace }

    /// What one attempt is made with: the keywords of one address, with what we always say.
    func attempts() -> [[String: String]] {
        var said = keywords
        said["options"] = (said["options"].map { $0 + " " } ?? "") + sessionSettings
        // What comes and goes as text is UTF-8, whatever the database's encoding is.
        said["client_encoding"] = "UTF8"
        for (keyword, value) in Self.defaults where said[keyword] == nil { said[keyword] = value }
        let attempts = separateAddresses(said)
        guard attempts.count > 1, said["target_session_attrs"] == nil else { return attempts }
        // One of several servers is the one that can be written.
        return attempts.map { $0.merging(["target_session_attrs": "read-write"]) { $1 } }
    }

    /// A server that vanished is noticed after some ten seconds, while nothing is sent and while something is.
    private static let defaults = [
        "application_name": "farwatch", "keepalives_idle": "4", "keepalives_interval": "2", "keepalives_count": "3", "tcp_user_timeout": "10000",
    ]

    /// In the connection's first message, so that they are the session's defaults, which RESET brings back. The server, too, has to notice that we have
    /// vanished: otherwise it would hold the rows of a COPY that never goes on for hours, as no time-out of its own ends the wait for a client's data.
    private var sessionSettings: String {
        [
            "statement_timeout=\(statementTimeout.inMilliseconds)", "lock_timeout=\(lockTimeout.inMilliseconds)",
            "idle_in_transaction_session_timeout=\(idleInTransactionTimeout.inMilliseconds)", "TimeZone=UTC",
            "tcp_keepalives_idle=4", "tcp_keepalives_interval=2", "tcp_keepalives_count=3", "tcp_user_timeout=10000",
        ]
        .map { "-c " + $0 }.joined(separator: " ")
    }

    /// libpq tries a list of hosts in turn, but gives each the whole of the time when it is driven without blocking: so we take them apart.
    /// `prefer-standby` is asked of each address as `standby` first, then any will do.
    private func separateAddresses(_ keywords: [String: String]) -> [[String: String]] {
        let lists = ["host", "hostaddr", "port"].map { keyword in
            (keyword, keywords[keyword].map(Self.list) ?? [])
        }
        let count = lists.map { $0.1.count }.max() ?? 0
        guard count > 1 else { return [keywords] }
        let addresses = (0..<count).map { index in
            var one = keywords
            for (keyword, values) in lists where !values.isEmpty {
                one[keyword] = values.count == 1 ? values[0] : values[min(index, values.count - 1)]
            }
            return one
        }
        guard keywords["target_session_attrs"] == "prefer-standby" else { return addresses }
        return ["standby", "any"].flatMap { wanted in
            addresses.map { $0.merging(["target_session_attrs": wanted]) { $1 } }
        }
    }
}

extension Duration {
    /// Whole milliseconds, rounded down.
    package var inMilliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
