import Testing

/// A number of 1,024 bits, as limbs of 32 with the lowest first.
struct OddNumber {
    private var limbs: [UInt64]

    init(hexadecimal text: String) throws {
        var digits = Array(text.filter { $0.isHexDigit })
        try #require(digits.count <= 256)
        digits = Array(repeating: "0", count: 256 - digits.count) + digits
        limbs = stride(from: 248, through: 0, by: -8).map { UInt64(String(digits[$0..<($0 + 8)]), radix: 16)! }
    }

    var hexadecimal: String {
        limbs.reversed().map { limb in
            let text = String(limb, radix: 16)
            return String(repeating: "0", count: 8 - text.count) + text
        }.joined()
    }

    func plus(_ value: UInt64) -> OddNumber {
        var sum = self
        var carry = value
        for index in sum.limbs.indices {
            carry += sum.limbs[index]
            sum.limbs[index] = carry & 0xFFFF_FFFF
            carry >>= 32
        }
        return sum
    }

    /// The product's 256 bytes, the highest first.
    func times(_ other: OddNumber) -> [UInt8] {
        var product = [UInt64](repeating: 0, count: limbs.count + other.limbs.count)
        for (i, a) in limbs.enumerated() {
            var carry: UInt64 = 0
            for (j, b) in other.limbs.enumerated() {
                carry += product[i + j] + a * b
                product[i + j] = carry & 0xFFFF_FFFF
                carry >>= 32
            }
            product[i + other.limbs.count] = carry
        }
        return product.reversed().flatMap { limb in (0..<4).map { UInt8(truncatingIfNeeded: limb >> (24 - 8 * UInt64($0))) } }
    }
}
