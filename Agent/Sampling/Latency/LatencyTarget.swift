/// Something on the network whose distance in time is measured: `tcp://host:port` or `icmp://host`, an IPv6 address in brackets.
package struct LatencyTarget: Hashable, Sendable {
    package enum Method: Hashable, Sendable {
        /// The time of a TCP handshake.
        case tcp(port: UInt16)
        /// The time of an ICMP echo.
        case icmp
    }

    /// RFC 1035, section 2.3.4, with the dots; an address with its zone is shorter.
    package static let hostBytesMax = 255

    /// As it was configured, which is also the label of its series.
    package let text: String
    package let method: Method
    /// A name or an address, without brackets.
    package let host: String

    package init(_ text: String) throws(SamplingError) {
        let operation = "parse latency target"
        let bytes = text.utf8
        let isTCP = bytes.starts(with: "tcp://".utf8)
        guard isTCP || bytes.starts(with: "icmp://".utf8) else { throw SamplingError(.unknownScheme, operation, text) }
        let place = Place(bytes.dropFirst(isTCP ? 6 : 7))
        guard let place, Self.isValid(place.host) else { throw SamplingError(.invalidHost, operation, text) }
        if isTCP {
            guard let port = place.port, let number = Self.number(port) else { throw SamplingError(.invalidPort, operation, text) }
            method = .tcp(port: number)
        } else {
            guard place.port == nil else { throw SamplingError(.unexpectedPort, operation, text) }
            method = .icmp
        }
        host = String(decoding: place.host, as: UTF8.self)
        self.text = text
    }

    /// What stands behind the scheme.
    private struct Place {
        let host: Substring.UTF8View
        let port: Substring.UTF8View?

        init?(_ text: Substring.UTF8View) {
            let colon = UInt8(ascii: ":")
            if text.first == UInt8(ascii: "[") {
                guard let end = text.firstIndex(of: UInt8(ascii: "]")) else { return nil }
                host = text[text.index(after: text.startIndex)..<end]
                let rest = text[text.index(after: end)...]
                guard rest.isEmpty || rest.first == colon, host.contains(colon) else { return nil }
                port = rest.isEmpty ? nil : rest.dropFirst()
            } else if let first = text.firstIndex(of: colon) {
                host = text[..<first]
                port = text[text.index(after: first)...]
                guard port?.contains(colon) == false else { return nil }
            } else {
                host = text
                port = nil
            }
        }
    }

    /// Letters, digits and what names and addresses have between them; `%` stands before an IPv6 zone.
    private static func isValid(_ host: Substring.UTF8View) -> Bool {
        guard (1...hostBytesMax).contains(host.count), host.first != UInt8(ascii: "-") else { return false }
        for byte in host {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "%"):
                continue
            default: return false
            }
        }
        return true
    }

    private static func number(_ digits: Substring.UTF8View) -> UInt16? {
        guard (1...5).contains(digits.count) else { return nil }
        var value: UInt32 = 0
        for byte in digits {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + UInt32(byte - UInt8(ascii: "0"))
        }
        return value == 0 ? nil : UInt16(exactly: value)
    }
}
