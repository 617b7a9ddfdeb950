import COpenSSL

/// Text of an X.501 name. The `X509_NAME` is borrowed from its certificate throughout.
enum DistinguishedName {
    /// RFC 2253's form without ASN1_STRFLGS_ESC_MSB, which would write every letter beyond ASCII as bytes.
    private static let lineFlags =
        UInt(ASN1_STRFLGS_ESC_2253 | ASN1_STRFLGS_ESC_CTRL | ASN1_STRFLGS_UTF8_CONVERT | ASN1_STRFLGS_DUMP_UNKNOWN | ASN1_STRFLGS_DUMP_DER)
        | UInt(XN_FLAG_SEP_COMMA_PLUS | XN_FLAG_DN_REV | XN_FLAG_FN_SN | XN_FLAG_DUMP_UNKNOWN_FIELDS)
    /// The same with each value as `#` and its bytes: for a name whose strings are not what their types say.
    private static let dumpFlags = lineFlags & ~UInt(ASN1_STRFLGS_UTF8_CONVERT) | UInt(ASN1_STRFLGS_DUMP_ALL)

    static func line(_ name: OpaquePointer?) -> String {
        guard let name else { return "" }
        return printed(name, lineFlags) ?? printed(name, dumpFlags) ?? ""
    }

    private static func printed(_ name: OpaquePointer, _ flags: UInt) -> String? {
        guard let output = BIO_new(BIO_s_mem()) else { return nil }
        defer { BIO_free(output) }
        // X509_NAME_print_ex(3) returns -1 on error.
        guard X509_NAME_print_ex(output, name, 0, numericCast(flags)) >= 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(output))
        guard !bytes.isEmpty else { return "" }
        let count = BIO_read(output, &bytes, Int32(clamping: bytes.count))
        guard count >= 0 else { return nil }
        return EscapedText.visible(bytes: Array(bytes.prefix(Int(count))), escapesBackslash: false)
    }

    /// The last common name, which is the most specific one.
    static func commonName(_ name: OpaquePointer?) -> String? {
        guard let name else { return nil }
        var last: Int32 = -1
        while true {
            let next = X509_NAME_get_index_by_NID(name, NID_commonName, last)
            if next < 0 { break }
            last = next
        }
        guard last >= 0, let entry = X509_NAME_get_entry(name, last), let value = X509_NAME_ENTRY_get_data(entry) else { return nil }
        var utf8: UnsafeMutablePointer<UInt8>?
        let count = ASN1_STRING_to_UTF8(&utf8, value)
        // ASN1_STRING_to_UTF8(3): the text is ours to free with OPENSSL_free, which is CRYPTO_free behind a macro.
        defer { CRYPTO_free(utf8, nil, 0) }
        guard count >= 0, let utf8 else { return nil }
        return EscapedText.visible(bytes: Array(UnsafeBufferPointer(start: utf8, count: Int(count))), escapesBackslash: true)
    }
}
