/// Where a server is and how it is spoken to.
package struct RedisOptions: Sendable, CustomStringConvertible {
    package enum Address: Equatable, Sendable, CustomStringConvertible {
        case tcp(host: String, port: Int)
        case unix(path: String)

        package var description: String {
            switch self {
            case .tcp(let host, let port): (host.contains(":") ? "[" + host + "]" : host) + ":" + String(port)
            case .unix(let path): path
            }
        }
    }

    package static let portDefault = 6_379
    private static let databaseMax = 1_023
    /// Nodes that an address may name.
    package static let nodesMax = 16

    /// With another one `others` are empty.
    package var address: Address { didSet { others = [] } }
    /// Other nodes of the cluster, which are tried in order where the one before cannot be reached.
    package private(set) var others: [Address] = []
    /// An ACL user; without one the password is the server's own (`requirepass`, the user `default`).
    package var user: String?
    package var password: String?
    package var database = 0
    /// Nil where TLS is not spoken.
    package var tls: RedisTLS?
    /// What CLIENT LIST shows.
    package var clientName = "farwatch"
    package var connectTimeout: Duration = .seconds(2)
    /// How long the answers of one exchange, a command or a pipeline, are waited for. A connection on which they do not come is given up.
    package var commandTimeout: Duration = .milliseconds(500)
    package var limits = RedisLimits()

    package init(_ address: Address) { self.address = address }

    /// - Parameter text: `redis://[user[:password]@]host[:port][/database]`, the same with `rediss` for TLS, or
    ///   `unix://[user[:password]@]/path/to/socket[?db=database]`. Of a
    ///   cluster several nodes may be named, with commas between them.
    package init(_ text: String) throws(RedisError) {
        if text.hasPrefix("redis://") {
            try self.init(tcp: text.dropFirst("redis://".count))
        } else if text.hasPrefix("unix://") {
            try self.init(unix: text.dropFirst("unix://".count))
        } else if text.hasPrefix("rediss://") {
            try self.init(tcp: text.dropFirst("rediss://".count))
            tls = RedisTLS()
        } else {
            throw Self.misread("it is none of redis://…, rediss://… and unix://…")
        }
    }

    private init(tcp text: Substring) throws(RedisError) {
        // A password may hold anything but is percent-encoded: what stands last is the host.
        let at = text.lastIndex(of: "@")
        var rest = at.map { text[text.index(after: $0)...] } ?? text
        var database = 0
        if let slash = rest.firstIndex(of: "/") {
            database = try Self.database(rest[rest.index(after: slash)...])
            rest = rest[..<slash]
        }
        let names = rest.split(separator: ",", maxSplits: Self.nodesMax, omittingEmptySubsequences: false)
        guard names.count <= Self.nodesMax else { throw Self.misread("it names more than \(Self.nodesMax) nodes") }
        var addresses: [Address] = []
        for name in names {
            let (host, port) = try Self.hostAndPort(name)
            addresses.append(.tcp(host: host, port: port))
        }
        self.init(addresses[0])
        others = Array(addresses.dropFirst())
        guard others.isEmpty || database == 0 else { throw Self.misread("it names several nodes of a cluster, which has no databases") }
        self.database = database
        if let at { try takeUser(text[..<at]) }
    }

    private init(unix text: Substring) throws(RedisError) {
        // Who comes stands before the path; what else has a / or an @ in it is percent-encoded there.
        guard let slash = text.firstIndex(of: "/") else { throw Self.misread("the socket's path does not begin with /") }
        let before = text[..<slash]
        guard before.isEmpty || before.last == "@" else { throw Self.misread("the socket's path does not begin with /") }
        let parts = text[slash...].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        self.init(.unix(path: try Self.decoded(parts[0])))
        if !before.isEmpty { try takeUser(before.dropLast()) }
        guard parts.count == 2 else { return }
        guard parts[1].hasPrefix("db=") else { throw Self.misread("the only parameter is db") }
        database = try Self.database(parts[1].dropFirst(3))
    }

    private mutating func takeUser(_ text: Substring) throws(RedisError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        if let name = parts.first, !name.isEmpty { user = try Self.decoded(name) }
        if parts.count == 2, !parts[1].isEmpty { password = try Self.decoded(parts[1]) }
    }

    private static func hostAndPort(_ text: Substring) throws(RedisError) -> (String, Int) {
        var host = text
        var port: Substring?
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { throw misread("a [ has no ]") }
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.first == ":" else { throw misread("what follows ] is no port") }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        guard !host.isEmpty, !host.contains(where: { $0 == "\0" || $0 == " " }) else { throw misread("it names no host") }
        guard let port else { return (String(host), portDefault) }
        guard let number = Int(port), (1...65_535).contains(number) else { throw misread("the port is not a number from 1 to 65535") }
        return (String(host), number)
    }

    private static func database(_ text: Substring) throws(RedisError) -> Int {
        if text.isEmpty { return 0 }
        guard let number = Int(text), (0...databaseMax).contains(number) else {
            throw misread("the database is not a number from 0 to \(databaseMax)")
        }
        return number
    }

    private static func decoded(_ text: Substring) throws(RedisError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let digits = String(rest.prefix(2)), digits.utf8.count == 2, let code = UInt8(digits, radix: 16), code != 0 else {
                throw misread("a % is not followed by two digits")
            }
            bytes.append(code)
            rest = rest.dropFirst(2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func misread(_ detail: String) -> RedisError { RedisError(.configuration, operation: "read the address", detail: detail) }

    /// The addresses and the database, no user and no password.
    package var description: String {
        switch address {
        case .tcp: place + "/" + String(database)
        case .unix: place + "?db=" + String(database)
        }
    }

    /// The addresses alone.
    package var place: String { ([address] + others).map(\.description).joined(separator: ",") }

    /// Of each address, the same with it alone.
    package var each: [RedisOptions] {
        ([address] + others).map { address in
            var options = self
            options.address = address
            return options
        }
    }
}

/// The bounds of what goes out and comes in.
package struct RedisLimits: Equatable, Sendable {
    /// Commands of one pipeline.
    package var commandsMax = 10_000
    /// Bytes of one pipeline.
    package var commandBytesMax = 64 * 1024 * 1024
    /// Bytes of all answers to one pipeline.
    package var replyBytesMax = 64 * 1024 * 1024
    /// Elements of all arrays in them. How deep arrays nest is bounded by hiredis, at 9 or less.
    package var replyElementsMax = 1_000_000

    package init() {}
}

extension Duration {
    /// Rounded down.
    var wholeMilliseconds: Int64 { components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000 }
}
