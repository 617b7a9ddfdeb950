/// The certificates of a Java key store in the formats JKS and JCEKS. They are not encrypted; keys are, and are passed over.
struct JavaKeyStore {
    static let entriesMax = 10_000

    private var rest: ArraySlice<UInt8>
    /// The encodings of the certificates, in the order of the store.
    private(set) var certificates: [ArraySlice<UInt8>] = []
    private(set) var keyBlocks = 0

    static func isStore(_ bytes: [UInt8]) -> Bool {
        bytes.starts(with: [0xFE, 0xED, 0xFE, 0xED]) || bytes.starts(with: [0xCE, 0xCE, 0xCE, 0xCE])
    }

    init(_ bytes: [UInt8]) throws(OpenSSLError) {
        rest = bytes[...].dropFirst(4)
        let version = try number(4)
        let entries = try number(4)
        guard version == 1 || version == 2, entries <= Self.entriesMax else { throw OpenSSLError(malformed: "read key store") }
        for _ in 0..<entries {
            let kind = try number(4)
            // The alias and the time of the entry.
            try skip(try number(2) + 8)
            switch kind {
            case 1:
                keyBlocks += 1
                try skip(try number(4))
                for _ in 0..<(try count()) { try readCertificate(version) }
            case 2: try readCertificate(version)
            // A secret key is a serialized object, whose end only Java finds: what stands behind it is not seen.
            default: return
            }
        }
    }

    private mutating func count() throws(OpenSSLError) -> Int {
        let count = try number(4)
        guard count <= Self.entriesMax else { throw OpenSSLError(malformed: "read key store") }
        return count
    }

    private mutating func readCertificate(_ version: Int) throws(OpenSSLError) {
        if version == 2 { try skip(try number(2)) }
        let length = try number(4)
        guard rest.count >= length, certificates.count < CertificateList.countMax else { throw OpenSSLError(malformed: "read key store") }
        certificates.append(rest.prefix(length))
        rest = rest.dropFirst(length)
    }

    /// At most four bytes. What an integer of this machine cannot hold is more than any store has, as is the greatest that it can.
    private mutating func number(_ width: Int) throws(OpenSSLError) -> Int {
        guard rest.count >= width else { throw OpenSSLError(malformed: "read key store") }
        let value = rest.prefix(width).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        rest = rest.dropFirst(width)
        return Int(clamping: value)
    }

    private mutating func skip(_ count: Int) throws(OpenSSLError) {
        guard rest.count >= count else { throw OpenSSLError(malformed: "read key store") }
        rest = rest.dropFirst(count)
    }
}
