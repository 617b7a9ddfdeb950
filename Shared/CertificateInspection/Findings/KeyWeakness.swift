import OpenSSLDriver

/// What makes an RSA key weak beside its length.
enum KeyWeakness {
    /// The least exponent that is odd and more than 1; BR 6.1.6 asks for 2^16+1 at least where it can be had.
    static func hasGoodExponent(_ key: PublicKeyContent) -> Bool {
        guard let last = key.exponent.last, last & 1 == 1 else { return false }
        return key.exponent.count > 1 || last >= 3
    }

    /// Small primes, and the modulus' possible rests by each as bits, of keys that a widespread chip's library made from few generators:
    /// CVE-2017-15361. All rests are powers of 65537 by that prime.
    static func isOfWeakGenerator(_ key: PublicKeyContent) -> Bool {
        guard !key.modulus.isEmpty else { return false }
        for prime in primes where !isPower(of: 65537 % prime, rest(key.modulus, by: prime), by: prime) { return false }
        return true
    }

    /// Whether a prime below a hundred divides the modulus: no such number is a product of two great primes.
    static func hasSmallFactor(_ key: PublicKeyContent) -> Bool {
        guard !key.modulus.isEmpty else { return false }
        return ([2, 3, 5, 7] + primes).contains { rest(key.modulus, by: $0) == 0 }
    }

    /// Whether its two factors lie so close together that they are found at once: CVE-2022-26320.
    static func hasCloseFactors(_ key: PublicKeyContent) -> Bool { !key.modulus.isEmpty && ClosePrimes.divide(key.modulus) }

    private static let primes: [UInt32] = [
        11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157,
    ]

    private static func rest(_ number: ArraySlice<UInt8>, by prime: UInt32) -> UInt32 {
        number.reduce(0) { ($0 << 8 | UInt32($1)) % prime }
    }

    private static func isPower(of base: UInt32, _ value: UInt32, by prime: UInt32) -> Bool {
        var power: UInt32 = 1
        for _ in 0..<prime {
            if power == value { return true }
            power = power * base % prime
        }
        return false
    }
}
