// An acknowledgement is read behind its checksum, so the checksum is made right first; what is read comes back the same.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    for candidate in [bytes, withChecksum(bytes)] {
        guard let acknowledgement = try? Acknowledgement(decoding: candidate) else { continue }
        guard let again = try? Acknowledgement(decoding: acknowledgement.encoded()), again == acknowledgement else {
            fatalError("an acknowledgement does not come back")
        }
    }
    return 0
}

private func withChecksum(_ bytes: [UInt8]) -> [UInt8] {
    var writer = ByteWriter()
    writer.append(bytes.dropLast(4))
    writer.uint32(CRC32C.checksum(writer.bytes[...]))
    return writer.bytes
}
