import COpenSSL

/// The certificates of a PKCS#12 file (`.p12`, `.pfx`; RFC 7292), and the ids of the public halves of its keys.
struct PKCS12Reader {
    /// Iterations of key derivation that one file may ask for altogether: a second on a small board. Programs write 2,048 to 600,000 a bag.
    static let iterationsMax = 4_000_000
    static let bagsMax = 4000
    static let passwordsMax = 8

    private(set) var certificates: [Certificate] = []
    private(set) var keys: [String] = []
    private(set) var keyBlocks = 0
    private var iterations = 0
    private var bags = 0

    /// Tries no password, then each that is given.
    init(_ bytes: UnsafePointer<UInt8>, _ count: Int, passwords: [String]) throws(OpenSSLError) {
        var next: UnsafePointer<UInt8>? = bytes
        guard let file = d2i_PKCS12(nil, &next, count) else { throw .last(.malformed, "read PKCS#12") }
        defer { PKCS12_free(file) }
        for password in [""] + passwords.prefix(Self.passwordsMax) {
            if PKCS12_mac_present(file) == 1 {
                try spend(Self.macIterations(file))
                guard PKCS12_verify_mac(file, password, -1) == 1 else { continue }
            }
            try unpack(file, password)
            return
        }
        throw OpenSSLError(.locked, "read PKCS#12")
    }

    private mutating func spend(_ count: Int) throws(OpenSSLError) {
        guard count >= 0, count <= Self.iterationsMax - iterations else { throw OpenSSLError(.tooLarge, "derive the key of PKCS#12") }
        iterations += count
    }

    private static func macIterations(_ file: OpaquePointer) -> Int {
        var count: UnsafePointer<ASN1_INTEGER>?
        PKCS12_get0_mac(nil, nil, nil, &count, file)
        return count.map { ASN1_INTEGER_get($0) } ?? 1
    }

    // MARK: Bags

    private mutating func unpack(_ file: OpaquePointer, _ password: String) throws(OpenSSLError) {
        guard let safes = PKCS12_unpack_authsafes(file) else { throw .last(.malformed, "read PKCS#12") }
        defer { OPENSSL_sk_pop_free(safes) { if let item = $0 { PKCS7_free(item.assumingMemoryBound(to: PKCS7.self)) } } }
        for index in 0..<max(0, OPENSSL_sk_num(safes)) {
            guard let item = OPENSSL_sk_value(safes, index) else { continue }
            let safe = item.assumingMemoryBound(to: PKCS7.self)
            var contents: OpaquePointer?
            switch OBJ_obj2nid(safe.pointee.type) {
            case NID_pkcs7_data: contents = PKCS12_unpack_p7data(safe)
            case NID_pkcs7_encrypted:
                try spend(Self.iterations(of: safe.pointee.d.encrypted?.pointee.enc_data?.pointee.algorithm))
                contents = PKCS12_unpack_p7encdata(safe, password, Int32(clamping: password.utf8.count))
            default: continue
            }
            guard let contents else { throw OpenSSLError.last(.locked, "read PKCS#12") }
            defer { OPENSSL_sk_pop_free(contents) { if let item = $0 { PKCS12_SAFEBAG_free(OpaquePointer(item)) } } }
            try read(contents, password)
        }
    }

    private mutating func read(_ contents: OpaquePointer, _ password: String) throws(OpenSSLError) {
        for index in 0..<max(0, OPENSSL_sk_num(contents)) {
            bags += 1
            guard bags <= Self.bagsMax else { throw OpenSSLError(.tooLarge, "read PKCS#12") }
            guard let item = OPENSSL_sk_value(contents, index) else { continue }
            let bag = OpaquePointer(item)
            switch PKCS12_SAFEBAG_get_nid(bag) {
            case NID_certBag:
                if let handle = PKCS12_SAFEBAG_get1_cert(bag) { certificates.append(Certificate(takingOwnership: handle)) }
            case NID_keyBag: note(PKCS12_SAFEBAG_get0_p8inf(bag))
            case NID_pkcs8ShroudedKeyBag:
                guard let shrouded = PKCS12_SAFEBAG_get0_pkcs8(bag) else { continue }
                var algorithm: UnsafePointer<X509_ALGOR>?
                X509_SIG_get0(shrouded, &algorithm, nil)
                try spend(Self.iterations(of: algorithm))
                let key = PKCS12_decrypt_skey(bag, password, Int32(clamping: password.utf8.count))
                note(key)
                PKCS8_PRIV_KEY_INFO_free(key)
            default: continue
            }
        }
    }

    private mutating func note(_ key: OpaquePointer?) {
        keyBlocks += 1
        guard let key, let made = EVP_PKCS82PKEY(key) else { return }
        defer { EVP_PKEY_free(made) }
        if let id = PrivateKeyReader.publicId(of: made) { keys.append(id) }
    }

    /// The greatest number among the parameters of an encryption, which is its count of iterations or above it.
    private static func iterations(of algorithm: UnsafePointer<X509_ALGOR>?) -> Int {
        guard let parameter = algorithm?.pointee.parameter, parameter.pointee.type == V_ASN1_SEQUENCE, let string = parameter.pointee.value.sequence
        else { return 0 }
        let bytes = UnsafeBufferPointer(start: ASN1_STRING_get0_data(string), count: max(0, Int(ASN1_STRING_length(string))))
        return greatest(Array(bytes)[...], depth: 0)
    }

    /// Looks into sequences only; a number of more than four bytes is more than any limit.
    private static func greatest(_ bytes: ArraySlice<UInt8>, depth: Int) -> Int {
        var rest = bytes
        var found = 0
        while rest.count >= 2, depth < 8 {
            let tag = rest[rest.startIndex]
            var length = Int(rest[rest.startIndex + 1])
            var header = 2
            if length > 0x80 {
                let count = length & 0x7F
                guard count <= 3, rest.count >= 2 + count else { return .max }
                length = rest[(rest.startIndex + 2)..<(rest.startIndex + 2 + count)].reduce(0) { $0 << 8 | Int($1) }
                header += count
            }
            guard rest.count >= header + length else { return .max }
            let content = rest[(rest.startIndex + header)..<(rest.startIndex + header + length)]
            if tag & 0x20 != 0 { found = max(found, greatest(content, depth: depth + 1)) }
            if tag == 0x02 { found = max(found, length > 4 ? .max : Int(clamping: content.reduce(UInt32(0)) { $0 << 8 | UInt32($1) })) }
            rest = rest.dropFirst(header + length)
        }
        return found
    }
}
