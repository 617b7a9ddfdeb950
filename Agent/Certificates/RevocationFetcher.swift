import CertificateInspection
import LinuxDriver

/// Fetches the revocation lists that certificates name, by plain HTTP as RFC 5280 has it, for whoever has asked for that: no redirection is followed.
package final class RevocationFetcher {
    package static let listBytesMax = 8 * 1024 * 1024
    private static let addressBytesMax = 1024
    private static let headBytesMax = 16 * 1024
    private static let addressesMax = 4

    /// Lists that could not be fetched.
    package private(set) var problems: [CertificateProblem] = []

    package init() { Signals.ignorePipe() }

    /// What the address has; nil when that cannot be told.
    package func list(at address: String) -> [UInt8]? {
        guard let place = Self.place(address) else { return fail(address, "not a list's address by HTTP") }
        let addresses = SocketAddress.all(resolving: place.host, port: place.port, max: Self.addressesMax)
        guard !addresses.isEmpty else { return fail(address, "no such host") }
        do throws(SystemError) {
            let socket = try StreamSocket.connect(toFirstOf: addresses)
            try socket.send(Array("GET \(place.path) HTTP/1.0\r\nHost: \(place.authority)\r\nUser-Agent: farwatch-agent\r\n\r\n".utf8))
            var answer: [UInt8] = []
            while answer.count <= Self.listBytesMax + Self.headBytesMax {
                let bytes = try socket.receive(max: 64 * 1024)
                if bytes.isEmpty { return Self.body(answer) ?? fail(address, "the server has no such list") }
                answer += bytes
            }
            return fail(address, "more than " + String(Self.listBytesMax) + " bytes")
        } catch {
            return fail(address, error.description)
        }
    }

    private func fail(_ address: String, _ detail: String) -> [UInt8]? {
        problems.append(CertificateProblem(.unreachable, address, detail))
        return nil
    }

    /// Of `http://HOST[:PORT]/PATH`, all of it letters and signs that a request may hold.
    private static func place(_ address: String) -> (host: String, port: UInt16, authority: String, path: String)? {
        let bytes = Array(address.utf8)
        guard bytes.count <= addressBytesMax, bytes.starts(with: "http://".utf8), bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        let rest = bytes[7...]
        let slash = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
        let authority = String(decoding: rest[..<slash], as: UTF8.self)
        let hasPort = rest[..<slash].last != UInt8(ascii: "]") && rest[..<slash].contains(UInt8(ascii: ":"))
        guard let endpoint = Endpoint("tls://" + authority + (hasPort ? "" : ":80")) else { return nil }
        return (endpoint.host, endpoint.port, authority, slash == rest.endIndex ? "/" : String(decoding: rest[slash...], as: UTF8.self))
    }

    /// Behind the head of an answer that says 200.
    private static func body(_ answer: [UInt8]) -> [UInt8]? {
        let status = answer.prefix(12)
        guard status.starts(with: "HTTP/1.".utf8), status.suffix(4).elementsEqual(" 200".utf8) else { return nil }
        let mark = Array("\r\n\r\n".utf8)
        for start in answer.indices.prefix(headBytesMax) where answer[start...].starts(with: mark) { return Array(answer[(start + 4)...]) }
        return nil
    }
}
