import Foundation

/// A file of cases in the x509-limbo format, as far as the runner needs it.
struct LimboFile: Decodable {
    let testcases: [LimboCase]
}

struct LimboCase: Decodable {
    struct PeerName: Decodable {
        let kind: String
        let value: String
    }

    let id: String
    let conflictsWith: [String]?
    let features: [String]?
    let validationKind: String
    let trustedCerts: [String]
    let untrustedIntermediates: [String]?
    let peerCertificate: String
    let validationTime: String?
    let extendedKeyUsage: [String]?
    let keyUsage: [String]?
    let expectedResult: String
    let expectedPeerName: PeerName?
    let expectedPeerNames: [PeerName]?
    let maxChainDepth: Int?
    let crls: [String]?

    var isValid: Bool { expectedResult == "SUCCESS" }

    static func read(_ path: String) throws -> [LimboCase] {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(LimboFile.self, from: Data(contentsOf: URL(fileURLWithPath: path))).testcases
    }
}
