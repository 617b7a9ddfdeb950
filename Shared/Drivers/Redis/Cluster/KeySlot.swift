/// Which of a cluster's slots a key is in. <https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/>
package enum KeySlot {
    package static let count = 16_384

    /// - Parameter key: what stands between its first `{` and the next `}` decides, where that is something; else all of it.
    package static func of(_ key: [UInt8]) -> Int { Int(checksum(tag(of: key))) % count }

    private static func tag(of key: [UInt8]) -> ArraySlice<UInt8> {
        guard let open = key.firstIndex(of: UInt8(ascii: "{")) else { return key[...] }
        let rest = key[(open + 1)...]
        guard let close = rest.firstIndex(of: UInt8(ascii: "}")), close > rest.startIndex else { return key[...] }
        return rest[..<close]
    }

    /// CRC-16/XMODEM: polynomial 0x1021, from 0, nothing reflected.
    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt16 {
        bytes.reduce(0) { sum, byte in sum << 8 ^ table[Int(sum >> 8) ^ Int(byte)] }
    }

    private static let table: [UInt16] = (0..<256).map { byte in
        (0..<8).reduce(UInt16(byte) << 8) { sum, _ in sum & 0x8000 == 0 ? sum << 1 : sum << 1 ^ 0x1021 }
    }
}
