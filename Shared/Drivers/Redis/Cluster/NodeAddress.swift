/// Where a node of a cluster is, as the cluster tells it: from outside, so it is only what can be an address.
package struct NodeAddress: Hashable, Sendable, CustomStringConvertible {
    private static let hostBytesMax = 253

    package let host: String
    package let port: Int

    package init?(host: String, port: Int) {
        guard (1...65_535).contains(port), (1...Self.hostBytesMax).contains(host.utf8.count), host.utf8.allSatisfy(Self.isOfHost) else { return nil }
        self.host = host
        self.port = port
    }

    /// - Parameters:
    ///   - text: `host:port`; of an IPv6 address the last colon is meant.
    ///   - teller: where the node is that says so: a node that does not know its own host names none.
    package init?(_ text: some StringProtocol, toldBy teller: String?) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]) else { return nil }
        let host = text[..<colon]
        guard let named = host.isEmpty ? teller : String(host) else { return nil }
        self.init(host: named, port: port)
    }

    /// Letters, digits, and what stands in names and addresses; `?` is how a node says that it knows no name.
    private static func isOfHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"): true
        default: false
        }
    }

    package var description: String { (host.contains(":") ? "[" + host + "]" : host) + ":" + String(port) }
}
