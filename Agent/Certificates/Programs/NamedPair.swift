/// A certificate and a key that a configuration names for each other.
package struct NamedPair: Equatable, Sendable {
    package let certificate: String
    package let key: String
}

/// The certificates and keys of one section of a configuration: those that go together by their directives are pairs.
struct PairedNames {
    /// Names of one section.
    static let namesMax = 64

    private struct Half {
        let pair: Int
        let isKey: Bool
        /// What stands before the directive where it may have something in front.
        let prefix: ArraySlice<UInt8>
        /// Nil for one that is no file's: a variable, a token's address.
        let path: String?

        func isOf(_ other: Half) -> Bool { pair == other.pair && prefix == other.prefix }
    }

    private var halves: [Half] = []

    @inline(never)
    mutating func add(_ directive: KnownProgram.Directive, _ word: [UInt8], _ path: String?) {
        guard let pair = directive.pair, halves.count < Self.namesMax else { return }
        halves.append(Half(pair: pair, isKey: directive.isKey, prefix: word.dropLast(directive.word.count), path: path))
    }

    /// Ends the section. Programs that take several of each take them in their order; where there are more of one than of the other, nothing
    /// says what belongs together.
    @inline(never)
    mutating func end() -> [NamedPair] {
        var found: [NamedPair] = []
        for (index, one) in halves.enumerated() where !one.isKey {
            var (place, count) = (0, 0)
            var keys: [String?] = []
            for (other, half) in halves.enumerated() where half.isOf(one) {
                if half.isKey {
                    keys.append(half.path)
                } else {
                    if other < index { place += 1 }
                    count += 1
                }
            }
            if keys.count == count, let path = one.path, let key = keys[place] { found.append(NamedPair(certificate: path, key: key)) }
        }
        halves = []
        return found
    }
}
