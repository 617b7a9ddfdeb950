import CertificateInspection
import OpenSSLDriver
import Telemetry

/// What a look at endpoints found, as a process hands it to another: a line for each, its first letter telling what follows.
package struct EndpointReport: Sendable {
    private static let certificateMark = UInt8(ascii: "C")
    private static let authorityMark = UInt8(ascii: "A")
    private static let problemMark = UInt8(ascii: "P")

    /// JSON, as documents have it.
    package private(set) var certificates: [String] = []
    /// Issuers of what is served that lie in none of the files.
    package private(set) var authorities: [String] = []
    package private(set) var problems: [CertificateProblem] = []

    package init() {}

    /// Reads the lines again; what is not whole is left out.
    package init(_ bytes: [UInt8]) {
        guard let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else { return }
        for line in bytes[..<end].split(separator: UInt8(ascii: "\n")) {
            switch line.first {
            case Self.certificateMark: certificates.append(String(decoding: line.dropFirst(), as: UTF8.self))
            case Self.authorityMark: authorities.append(String(decoding: line.dropFirst(), as: UTF8.self))
            case Self.problemMark:
                let parts = line.dropFirst().split(separator: UInt8(ascii: "\t"), maxSplits: 1)
                guard parts.count == 2 else { continue }
                problems.append(
                    CertificateProblem(.unreachable, String(decoding: parts[0], as: UTF8.self), String(decoding: parts[1], as: UTF8.self)))
            default: break
            }
        }
    }

    /// The lines. JSON has no line's end within, and what is told of a problem is escaped.
    package static func lines(
        _ endpoints: [EndpointRecord], _ authorities: [CertificateRecord], _ problems: [CertificateProblem], at: Int64, clockIsTrustworthy: Bool
    ) -> String {
        var text = ""
        for one in authorities { text += "A" + one.json(at: at, clockIsTrustworthy: clockIsTrustworthy) + "\n" }
        for one in endpoints { text += "C" + one.json(at: at, clockIsTrustworthy: clockIsTrustworthy) + "\n" }
        for one in problems where one.reason == .unreachable { text += "P" + one.path + "\t" + one.detail + "\n" }
        return text
    }
}

extension EndpointRecord {
    /// The certificate's object, and what the handshake showed. Where it was found is the endpoint.
    func json(at now: Int64, clockIsTrustworthy: Bool, withAdvice: Bool = false) -> String {
        record.json(at: now, clockIsTrustworthy: clockIsTrustworthy, withAdvice: withAdvice) { object in
            object.string("endpoint", endpoint.text)
            object.string("protocol", protocolName)
            object.string("cipher", cipher)
            object.string("stapled", stapled.name)
            object.number("response_time", responseTime)
        }
    }
}
