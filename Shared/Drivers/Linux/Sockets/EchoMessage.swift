/// An echo request of ICMP (RFC 792) or ICMPv6 (RFC 4443, section 4): type, code, checksum, identifier, sequence number, data.
struct EchoMessage {
    /// What is read of an answer; the rest is our own data.
    static let bytesMax = 64
    /// Messages that are looked at in one turn of the loop.
    static let readMax = 8
    private static let data: [UInt8] = Array("farwatch".utf8)

    let isIPv6: Bool
    let sequence: UInt16

    var request: [UInt8] { [isIPv6 ? 128 : 8, 0, 0, 0, 0, 0, UInt8(sequence >> 8), UInt8(sequence & 0xFF)] + Self.data }

    func isAnswered(by message: Span<UInt8>) -> Bool {
        guard message.count >= 8, message[0] == (isIPv6 ? 129 : 0), message[1] == 0 else { return false }
        return UInt16(message[6]) << 8 | UInt16(message[7]) == sequence
    }
}
