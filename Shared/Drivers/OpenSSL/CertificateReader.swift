import COpenSSL

/// Certificates out of a file's bytes, one at a time, so that a bundle of hundreds never stands in memory at once.
///
/// PEM: every `CERTIFICATE` block, whatever stands between the blocks; blocks of other types are counted and skipped.
/// DER: one or several certificates end to end. PKCS#7, PKCS#12 and Java key stores: all their certificates.
package struct CertificateReader {
    /// A certificate's DER encoding is refused beyond this: the largest signatures standardised (SLH-DSA) are 50 KB.
    package static let certificateBytesMax = 64 * 1024

    package enum Encoding: Equatable, Sendable { case pem, der, neither }

    package let encoding: Encoding
    /// PEM blocks that were no certificates: keys, parameters, requests.
    package private(set) var otherBlocks = 0
    /// Of them, private keys: the ids of their public halves, as far as they can be read.
    package private(set) var keys: [String] = []
    package private(set) var keyBlocks = 0
    /// Some of the certificates came out of PKCS#7, which is a set: their order means nothing.
    package private(set) var isUnordered = false
    /// And revocation lists.
    package private(set) var listBlocks = 0

    /// Keys of one file that are read.
    package static let keysMax = 16

    private let bytes: [UInt8]
    private var offset = 0
    /// Certificates out of a container, the next one last, and why it could not be opened.
    private var unpacked: [Certificate] = []
    private var failure: OpenSSLError?
    private let context: KeylessContext?

    /// The passwords are tried on containers that have one; in a keyless context public keys are left undecoded until they are asked for.
    package init(_ bytes: [UInt8], passwords: [String] = [], in context: KeylessContext? = nil) {
        self.bytes = bytes
        self.context = context
        encoding = Self.sniff(bytes)
        defer { OpenSSLError.clearQueue() }
        if let key = PrivateKeyReader.publicId(ofDER: bytes) {
            (offset, keys, keyBlocks, otherBlocks) = (bytes.count, [key], 1, 1)
            return
        }
        guard let kind = Container(of: bytes) else { return }
        offset = bytes.count
        isUnordered = kind == .pkcs7
        do throws(OpenSSLError) {
            let container = try kind.open(bytes, passwords: passwords, in: context)
            unpacked = container.certificates.reversed()
            keys = Array(container.keys.prefix(Self.keysMax))
            keyBlocks = container.keyBlocks
            otherBlocks = keyBlocks
        } catch {
            failure = error
        }
    }

    /// The next certificate; nil at the end. After an error the next call goes on behind what was malformed.
    package mutating func next() throws(OpenSSLError) -> Certificate? {
        defer { OpenSSLError.clearQueue() }
        if let failure {
            self.failure = nil
            throw failure
        }
        if let certificate = unpacked.popLast() { return certificate }
        switch encoding {
        case .pem: return try nextBlock()
        case .der: return try nextElement()
        case .neither: return nil
        }
    }

    /// Text never has a byte beyond ASCII behind a first `0`; a DER certificate always has, in its length.
    private static func sniff(_ bytes: [UInt8]) -> Encoding {
        if bytes.count >= 2 && bytes[0] == 0x30 && bytes[1] & 0x80 != 0 { return .der }
        return contains(bytes, "-----BEGIN ") ? .pem : .neither
    }

    /// Whether a file that begins so is read as a whole or not at all: DER has no marks to cut it at, nor has a key store.
    package static func isWhole(_ beginning: [UInt8]) -> Bool { sniff(beginning) == .der || JavaKeyStore.isStore(beginning) }

    private static func contains(_ bytes: [UInt8], _ mark: StaticString) -> Bool {
        let count = mark.utf8CodeUnitCount
        guard bytes.count >= count else { return false }
        let wanted = UnsafeBufferPointer(start: mark.utf8Start, count: count)
        for start in 0...(bytes.count - count) where bytes[start] == wanted[0] {
            if bytes[start..<start + count].elementsEqual(wanted) { return true }
        }
        return false
    }

    // MARK: PEM

    private mutating func nextBlock() throws(OpenSSLError) -> Certificate? {
        // Each turn takes at least one line of the bytes, so there are at most as many turns as lines.
        while offset < bytes.count {
            switch readBlock(readsKeys: keyBlocks < Self.keysMax) {
            case .certificate(let certificate): return certificate
            case .chain(let certificates):
                unpacked = certificates.reversed()
                isUnordered = true
                if let certificate = unpacked.popLast() { return certificate }
            case .other: otherBlocks += 1
            case .list:
                otherBlocks += 1
                listBlocks += 1
            case .key(let id):
                otherBlocks += 1
                keyBlocks += 1
                if let id { keys.append(id) }
            case .end: offset = bytes.count
            case .failed(let error): throw error
            }
        }
        return nil
    }

    private enum Block {
        case certificate(Certificate)
        case chain([Certificate])
        case other
        case list
        case key(String?)
        case end
        case failed(OpenSSLError)
    }

    private mutating func readBlock(readsKeys: Bool) -> Block {
        let start = offset
        let (block, remaining) = bytes.withUnsafeBytes { buffer -> (Block, Int) in
            let rest = buffer[start...]
            // BIO_new_mem_buf(3) reads the bytes where they are: they have to outlive the BIO.
            guard let input = BIO_new_mem_buf(UnsafeRawBufferPointer(rebasing: rest).baseAddress, Int32(clamping: rest.count)) else {
                return (.failed(.last(.exhausted, "read certificate")), 0)
            }
            defer { BIO_free(input) }
            let block = Self.takeBlock(input, readsKeys: readsKeys, context)
            return (block, BIO_ctrl_pending(input))
        }
        offset = max(start + 1, bytes.count - remaining)
        return block
    }

    private static func takeBlock(_ input: OpaquePointer, readsKeys: Bool, _ context: KeylessContext?) -> Block {
        var name: UnsafeMutablePointer<CChar>?
        var header: UnsafeMutablePointer<CChar>?
        var content: UnsafeMutablePointer<UInt8>?
        var count: Int = 0
        // PEM_read_bio(3) decodes a block of any type and never asks for a pass phrase, as PEM_read_bio_X509 would on the terminal.
        guard PEM_read_bio(input, &name, &header, &content, &count) == 1 else {
            // Nothing but text up to the end is how every file ends.
            if ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE { return .end }
            return .failed(.last(.malformed, "read certificate"))
        }
        defer {
            CRYPTO_free(name, nil, 0)
            CRYPTO_free(header, nil, 0)
            // The block may be a private key.
            CRYPTO_clear_free(content, Int(count), nil, 0)
        }
        guard let name, let content else { return .other }
        let type = String(cString: name)
        if PrivateKeyReader.isKey(type) { return .key(readsKeys ? PrivateKeyReader.publicId(of: content, count: Int(count)) : nil) }
        switch type {
        case PEM_STRING_PKCS7, PEM_STRING_PKCS7_SIGNED, PEM_STRING_CMS:
            do throws(OpenSSLError) { return .chain(try PKCS7Certificates.read(content, Int(count))) } catch { return .failed(error) }
        case PEM_STRING_X509, PEM_STRING_X509_OLD: return decoded(content, Int(count), context)
        case PEM_STRING_X509_TRUSTED: return decoded(content, Int(count), hasTrustSettings: true, nil)
        case PEM_STRING_X509_CRL: return .list
        default: return .other
        }
    }

    private static func decoded(
        _ content: UnsafePointer<UInt8>, _ count: Int, hasTrustSettings: Bool = false, _ context: KeylessContext?
    ) -> Block {
        var next: UnsafePointer<UInt8>? = content
        do throws(OpenSSLError) {
            return .certificate(try decode(&next, count, hasTrustSettings: hasTrustSettings, context))
        } catch {
            return .failed(error)
        }
    }

    // MARK: DER

    private mutating func nextElement() throws(OpenSSLError) -> Certificate? {
        guard offset < bytes.count else { return nil }
        let start = offset
        let result = bytes.withUnsafeBufferPointer { buffer -> (certificate: Certificate?, error: OpenSSLError?, taken: Int) in
            let begin = buffer.baseAddress! + start
            var next: UnsafePointer<UInt8>? = begin
            do throws(OpenSSLError) {
                let certificate = try Self.decode(&next, buffer.count - start, hasTrustSettings: false, context)
                return (certificate, nil, next.map { $0 - begin } ?? 0)
            } catch {
                return (nil, error, 0)
            }
        }
        // Behind a malformed element nothing says where the next one begins.
        offset = result.taken > 0 ? start + result.taken : bytes.count
        if let error = result.error { throw error }
        return result.certificate
    }

    private static func decode(
        _ next: inout UnsafePointer<UInt8>?, _ count: Int, hasTrustSettings: Bool, _ context: KeylessContext?
    ) throws(OpenSSLError) -> Certificate {
        guard let begin = next, count > 0 else { throw OpenSSLError(.malformed, "read certificate") }
        // Both read no further than the length and move the pointer behind what they took; what they return is ours to free (d2i_X509(3)).
        let handle =
            hasTrustSettings
            ? d2i_X509_AUX(nil, &next, count)
            : ASN1_item_d2i_ex(nil, &next, count, X509_it(), context?.handle, nil)
        guard let handle else { throw .last(.malformed, "read certificate") }
        let certificate = Certificate(takingOwnership: handle, in: context)
        guard let end = next, end - begin <= certificateBytesMax else { throw OpenSSLError(.tooLarge, "read certificate") }
        return certificate
    }
}
