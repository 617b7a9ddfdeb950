import COpenSSL

/// Looks whether an RSA modulus is a product of two primes that lie close together, by Fermat's method: it tries squares above the modulus until
/// what they have more is a square too.
package enum ClosePrimes {
    /// As many squares as BR 6.1.1.3 asks to be tried.
    package static let roundsMax = 100
    /// Longer moduli are passed over: whoever writes a certificate decides how long it is.
    package static let modulusBytesMax = 2048

    /// True for two close factors, and for a square.
    package static func divide(_ modulus: ArraySlice<UInt8>) -> Bool {
        guard modulus.count <= modulusBytesMax, let context = BN_CTX_new() else { return false }
        BN_CTX_start(context)
        defer {
            BN_CTX_end(context)
            BN_CTX_free(context)
            OpenSSLError.clearQueue()
        }
        let (number, root, rest) = (BN_CTX_get(context), BN_CTX_get(context), BN_CTX_get(context))
        // When there is memory for the last of them there was for all.
        guard rest != nil, modulus.withUnsafeBufferPointer({ BN_bin2bn($0.baseAddress, Int32($0.count), number) }) != nil else { return false }
        if isSquare(number, root, context) { return true }
        for _ in 0..<roundsMax {
            guard BN_add_word(root, 1) == 1, BN_sqr(rest, root, context) == 1, BN_sub(rest, rest, number) == 1 else { return false }
            if mayBeSquare(rest) && isSquare(rest, nil, context) { return true }
        }
        return false
    }

    /// The rest of a square by a prime is a square's: all of them let pass one other number in a thousand.
    private static func mayBeSquare(_ number: OpaquePointer?) -> Bool {
        for prime: UInt in [3, 5, 7, 11, 13, 17, 19, 23, 29, 31] {
            let rest = UInt(BN_mod_word(number, .init(prime)))
            guard (0..<prime).contains(where: { $0 * $0 % prime == rest }) else { return false }
        }
        return true
    }

    /// The root is left in `root`, rounded down.
    private static func isSquare(_ number: OpaquePointer?, _ root: OpaquePointer?, _ context: OpaquePointer) -> Bool {
        BN_CTX_start(context)
        defer { BN_CTX_end(context) }
        let (made, next) = (BN_CTX_get(context), BN_CTX_get(context))
        guard next != nil, let root = root ?? made else { return false }
        // Newton's method from above: each turn doubles the digits that are right, so that 32 are more than it takes.
        BN_set_word(root, 0)
        BN_set_bit(root, (BN_num_bits(number) + 1) / 2)
        for _ in 0..<32 {
            guard BN_div(next, nil, number, root, context) == 1, BN_add(next, next, root) == 1, BN_rshift1(next, next) == 1 else { return false }
            if BN_cmp(next, root) >= 0 { break }
            BN_copy(root, next)
        }
        return BN_sqr(next, root, context) == 1 && BN_cmp(next, number) == 0
    }
}
