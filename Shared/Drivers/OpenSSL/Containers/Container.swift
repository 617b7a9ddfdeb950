/// Files that hold certificates in a structure of their own.
enum Container {
    case pkcs7
    case pkcs12
    case javaKeyStore

    struct Content {
        var certificates: [Certificate] = []
        var keys: [String] = []
        var keyBlocks = 0
    }

    /// By its first bytes: PKCS#7 begins with an object identifier within a sequence, PKCS#12 with a number; a certificate with neither.
    init?(of bytes: [UInt8]) {
        if JavaKeyStore.isStore(bytes) {
            self = .javaKeyStore
            return
        }
        guard bytes.count > 8, bytes[0] == 0x30, bytes[1] & 0x80 != 0, bytes[1] <= 0x84 else { return nil }
        switch bytes[2 + Int(bytes[1] & 0x7F)] {
        case 0x06: self = .pkcs7
        case 0x02: self = .pkcs12
        default: return nil
        }
    }

    func open(_ bytes: [UInt8], passwords: [String], in context: KeylessContext?) throws(OpenSSLError) -> Content {
        var content = Content()
        switch self {
        case .pkcs7:
            content.certificates = try Self.withPointer(bytes) { (start, count) throws(OpenSSLError) in try PKCS7Certificates.read(start, count) }
        case .pkcs12:
            let reader = try Self.withPointer(bytes) { (start, count) throws(OpenSSLError) in
                try PKCS12Reader(start, count, passwords: passwords)
            }
            content = Content(certificates: reader.certificates, keys: reader.keys, keyBlocks: reader.keyBlocks)
        case .javaKeyStore:
            let store = try JavaKeyStore(bytes)
            content.keyBlocks = store.keyBlocks
            for encoding in store.certificates {
                var reader = CertificateReader(Array(encoding), in: context)
                if let certificate = try reader.next() { content.certificates.append(certificate) }
            }
        }
        return content
    }

    private static func withPointer<Value>(
        _ bytes: [UInt8], _ body: (UnsafePointer<UInt8>, Int) throws(OpenSSLError) -> Value
    ) throws(OpenSSLError) -> Value {
        try bytes.withUnsafeBufferPointer { buffer throws(OpenSSLError) in
            guard let start = buffer.baseAddress else { throw OpenSSLError(malformed: "read container") }
            return try body(start, buffer.count)
        }
    }
}
