/// That somebody has logged in.
package struct Session: Equatable, Sendable {
    package static let userBytesMax = 256
    /// Of what `encoded` makes.
    private static let version: UInt8 = 1

    package let user: String
    /// Milliseconds since 1970.
    package let createdAt: Int64
    /// Which of the user's times it belongs to: all of them end together, see `Sessions.endAll`.
    let era: [UInt8]

    init(user: String, createdAt: Int64, era: [UInt8]) {
        self.user = user
        self.createdAt = createdAt
        self.era = era
    }

    /// The version, the time (8 bytes, the greatest first), the era (16 bytes), the user.
    var encoded: [UInt8] {
        let bits = UInt64(bitPattern: createdAt)
        return [Self.version] + stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: bits >> UInt64($0)) } + era + Array(user.utf8)
    }

    /// Nil for what is none.
    init?(_ bytes: [UInt8]) {
        let head = 1 + 8 + SessionToken.eraBytes
        guard bytes.count > head, bytes.count <= head + Self.userBytesMax, bytes[0] == Self.version,
            let user = String(validating: bytes[head...], as: UTF8.self)
        else { return nil }
        self.user = user
        createdAt = Int64(bitPattern: bytes[1..<9].reduce(0) { $0 << 8 | UInt64($1) })
        era = Array(bytes[9..<head])
    }
}
