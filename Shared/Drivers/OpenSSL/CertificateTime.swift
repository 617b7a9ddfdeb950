import COpenSSL

/// A certificate's `Time` (RFC 5280, section 4.1.2.5) as milliseconds since 1970.
enum CertificateTime {
    /// 1950-01-01, where UTCTime begins, and the last second of the year 9999, where GeneralizedTime ends; seconds since 1970.
    private static let seconds: ClosedRange<Int64> = -631_152_000...253_402_300_799

    /// Nil for a malformed field. The pointer is borrowed: `X509_get0_notBefore` and its kin keep ownership.
    static func milliseconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
        // A null time would mean "now" to ASN1_TIME_diff(3). Made of text: how long a `time_t` is, architectures of 32 bits do not agree from one
        // release of Debian to the next, and no function that takes one can be called by a program for both.
        guard let time, let epoch = ASN1_TIME_new() else { return nil }
        defer { ASN1_TIME_free(epoch) }
        guard ASN1_TIME_set_string(epoch, "19700101000000Z") == 1 else { return nil }
        var days: Int32 = 0
        var rest: Int32 = 0
        guard ASN1_TIME_diff(&days, &rest, epoch, time) == 1 else {
            OpenSSLError.clearQueue()
            return nil
        }
        let total = Int64(days) * 86_400 + Int64(rest)
        return seconds.contains(total) ? total * 1000 : nil
    }
}
