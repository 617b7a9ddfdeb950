// Files of certificates as strangers leave them: PEM with anything around it, DER, PKCS#7, PKCS#12 and Java key stores, and revocation lists.
// The first byte says whether passwords are tried. Reading ends, and no more comes out than there are bytes for.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    guard size > 0 else { return 0 }
    let bytes = Array(UnsafeBufferPointer(start: data + 1, count: size - 1))
    let context = KeylessContext()
    var reader = CertificateReader(bytes, passwords: data[0] & 1 == 0 ? [] : ["secret"], in: data[0] & 2 == 0 ? nil : context)
    var turns = 0
    reading: while true {
        turns += 1
        guard turns <= bytes.count + 2 else { fatalError("more turns than bytes") }
        do throws(OpenSSLError) {
            guard let certificate = try reader.next() else { break reading }
            _ = certificate.facts()
            guard certificate.encoding().count <= CertificateReader.certificateBytesMax else { fatalError("a certificate beyond the limit") }
        } catch { continue }
    }
    guard reader.keys.count <= CertificateReader.keysMax else { fatalError("more keys than are read") }
    for encoding in SignedRevocationList.encodings(in: bytes).prefix(4) { _ = try? SignedRevocationList(encoding) }
    return 0
}
