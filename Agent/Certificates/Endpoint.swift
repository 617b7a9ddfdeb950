import LinuxDriver

/// A place where certificates are served: a host, a port, and how TLS begins there.
package struct Endpoint: Equatable, Sendable {
    /// What is said before TLS begins.
    package enum Prelude: UInt8, Sendable { case none, smtp, imap, postgres }

    package let host: String
    package let port: UInt16
    package let prelude: Prelude

    /// The host is a name, and no address in numbers.
    package var isName: Bool { SocketAddress(numeric: host, port: port) == nil }

    package var text: String { (host.utf8.contains(UInt8(ascii: ":")) ? "[" + host + "]" : host) + ":" + String(port) }

    /// `HOST:PORT` or `SCHEME://HOST:PORT`, an IPv6 address in brackets; nil for anything else.
    package init?(_ text: String) {
        var rest = Array(text.utf8)[...]
        var scheme: [UInt8] = []
        if let colon = rest.firstIndex(of: UInt8(ascii: ":")), rest[colon...].starts(with: "://".utf8) {
            scheme = Array(rest[..<colon])
            rest = rest[(colon + 3)...]
            // As addresses are copied.
            if rest.last == UInt8(ascii: "/") { rest.removeLast() }
        }
        guard let colon = rest.lastIndex(of: UInt8(ascii: ":")), let port = UInt16(String(decoding: rest[(colon + 1)...], as: UTF8.self)), port > 0
        else { return nil }
        var host = rest[..<colon]
        let hasBrackets = host.first == UInt8(ascii: "[") && host.last == UInt8(ascii: "]")
        if hasBrackets { host = host.dropFirst().dropLast() }
        guard !host.isEmpty, host.count <= 253, hasBrackets || !host.contains(UInt8(ascii: ":")) else { return nil }
        guard host.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "@") }) else { return nil }
        guard let prelude = Self.prelude(scheme, port) else { return nil }
        self.host = String(decoding: host, as: UTF8.self)
        self.port = port
        self.prelude = prelude
    }

    /// What an endpoint is to be, in words.
    package static let form =
        "an endpoint is HOST:PORT, the port 1 to 65535, with tls, https, mqtts, smtps, imaps, smtp, imap or postgres:// before it"

    /// The text has a scheme, or nothing but digits behind a colon, and is no path from a root or from here.
    package static func isMeant(by text: String) -> Bool {
        let bytes = Array(text.utf8)
        let colon = UInt8(ascii: ":")
        guard let first = bytes.firstIndex(of: colon), let last = bytes.lastIndex(of: colon), bytes[0] != UInt8(ascii: "/"),
            bytes[0] != UInt8(ascii: ".")
        else { return false }
        return bytes[first...].starts(with: "://".utf8) || bytes[(last + 1)...].allSatisfy { 0x30...0x39 ~= $0 }
    }

    private static func prelude(_ scheme: [UInt8], _ port: UInt16) -> Prelude? {
        if scheme.elementsEqual("smtp".utf8) { return .smtp }
        if scheme.elementsEqual("imap".utf8) { return .imap }
        if scheme.elementsEqual("postgres".utf8) || scheme.elementsEqual("postgresql".utf8) { return .postgres }
        for direct in ["tls", "mqtts", "https", "smtps", "imaps"] where scheme.elementsEqual(direct.utf8) { return Prelude.none }
        guard scheme.isEmpty else { return nil }
        switch port {
        case 25, 587: return .smtp
        case 143: return .imap
        case 5432: return .postgres
        default: return Prelude.none
        }
    }
}
