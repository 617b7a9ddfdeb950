// Certificates and revocation lists as strangers hand them over: a value or a typed error; what is read of one is within its bytes.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    if let content = try? CertificateContent(bytes) {
        guard content.serial.count <= bytes.count, content.key.whole.endIndex <= bytes.count else { fatalError("a part lies outside of the whole") }
        _ = content.isSelfIssued
    }
    if let list = try? RevocationContent(bytes) { _ = list.lists([0x01]) }
    return 0
}
