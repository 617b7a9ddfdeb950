import COpenSSL

/// The owner of one `X509_CRL`, kept for its signature.
package final class SignedRevocationList {
    let handle: OpaquePointer

    package init(_ der: [UInt8]) throws(OpenSSLError) {
        defer { OpenSSLError.clearQueue() }
        let made = der.withUnsafeBufferPointer { buffer in
            var next = buffer.baseAddress
            return d2i_X509_CRL(nil, &next, buffer.count)
        }
        guard let made else { throw .last(.malformed, "read revocation list") }
        handle = made
    }

    /// Lists of one file.
    package static let listsMax = 64

    /// The encodings of the lists in a file: PEM blocks, or one list as DER.
    package static func encodings(in bytes: [UInt8]) -> [[UInt8]] {
        defer { OpenSSLError.clearQueue() }
        if bytes.first == 0x30 { return [bytes] }
        var found: [[UInt8]] = []
        bytes.withUnsafeBytes { buffer in
            // BIO_new_mem_buf(3) reads the bytes where they are: they have to outlive the BIO.
            guard let input = BIO_new_mem_buf(buffer.baseAddress, Int32(clamping: buffer.count)) else { return }
            defer { BIO_free(input) }
            while found.count < listsMax, let block = nextBlock(input) { if let list = block { found.append(list) } }
        }
        return found
    }

    /// Nil at the end, and nil within for a block that is none.
    private static func nextBlock(_ input: OpaquePointer) -> [UInt8]?? {
        var name: UnsafeMutablePointer<CChar>?
        var header: UnsafeMutablePointer<CChar>?
        var content: UnsafeMutablePointer<UInt8>?
        var count: Int = 0
        guard PEM_read_bio(input, &name, &header, &content, &count) == 1 else { return nil }
        defer {
            CRYPTO_free(name, nil, 0)
            CRYPTO_free(header, nil, 0)
            CRYPTO_clear_free(content, Int(count), nil, 0)
        }
        guard let name, let content, String(cString: name) == PEM_STRING_X509_CRL else { return .some(nil) }
        return Array(UnsafeBufferPointer(start: content, count: Int(count)))
    }

    deinit { X509_CRL_free(handle) }
}
