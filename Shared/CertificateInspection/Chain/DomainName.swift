/// Domain names as certificates have them: labels of ASCII letters, digits and hyphens.
enum DomainName {
    static let bytesMax = 253
    static let labelBytesMax = 63

    static func labels(_ name: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    }

    /// RFC 5280's preferred name syntax; underscores, which names in use have, are let pass. A wildcard is a whole first label.
    static func isWellFormed(_ name: ArraySlice<UInt8>, allowsWildcard: Bool) -> Bool {
        guard !name.isEmpty, name.count <= bytesMax else { return false }
        for (index, label) in labels(name).enumerated() {
            if index == 0 && allowsWildcard && label.elementsEqual("*".utf8) && label.count < name.count { continue }
            guard !label.isEmpty, label.count <= labelBytesMax, label.allSatisfy(isLetter) else { return false }
            guard label.first != UInt8(ascii: "-"), label.last != UInt8(ascii: "-") else { return false }
        }
        return true
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        ASCII.isDigit(byte) || 0x61...0x7A ~= ASCII.lower(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }

    /// Whether a name of a certificate stands for a host: RFC 9525, section 6.3. The wildcard stands for one label, and never for names
    /// that anyone may register.
    static func matches(_ presented: ArraySlice<UInt8>, _ host: ArraySlice<UInt8>, suffixes: PublicSuffixes) -> Bool {
        guard isWellFormed(presented, allowsWildcard: true), isWellFormed(host, allowsWildcard: false) else { return false }
        let (name, wanted) = (ASCII.lower(presented), ASCII.lower(host))
        guard name.starts(with: "*.".utf8) else { return name == wanted }
        let base = name[2...]
        guard let dot = wanted.firstIndex(of: UInt8(ascii: ".")), wanted[(dot + 1)...] == base else { return false }
        return !suffixes.contains(base)
    }

    /// Whether a name is the base or has it as its end, label by label. All in lower case; an empty base has every name below it.
    static func isWithin(_ name: [UInt8], _ base: ArraySlice<UInt8>) -> Bool {
        guard !base.isEmpty, name.count != base.count else { return base.isEmpty || name.elementsEqual(base) }
        guard name.count > base.count, name[name.count - base.count - 1] == UInt8(ascii: ".") else { return false }
        return name[(name.count - base.count)...].elementsEqual(base)
    }
}

/// What a certificate must name.
package enum ReferenceName: Sendable {
    case dns([UInt8])
    /// Four or sixteen bytes.
    case address([UInt8])
    case email([UInt8])

    /// A host as people write it: an address in numbers, or a domain name; one dot at its end is dropped.
    package init(host text: String) {
        var bytes = Array(text.utf8)
        if bytes.first == UInt8(ascii: "["), bytes.last == UInt8(ascii: "]") { bytes = Array(bytes.dropFirst().dropLast()) }
        let dots = bytes.count { $0 == UInt8(ascii: ".") }
        if bytes.contains(UInt8(ascii: ":")) || dots == 3, let address = NumericAddress.loose(bytes[...]) {
            self = .address(address)
            return
        }
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        self = .dns(bytes)
    }

    /// Whether an alternative name of the certificate is this one. A common name never is (RFC 9525, section 6.3).
    func matches(_ leaf: CertificateContent, suffixes: PublicSuffixes) -> Bool {
        (leaf.extensions.alternativeNames ?? []).contains { name in
            switch (self, name) {
            case (.dns(let host), .dns(let presented)): DomainName.matches(presented, host[...], suffixes: suffixes)
            case (.address(let wanted), .address(let presented)): presented.elementsEqual(wanted)
            case (.email(let wanted), .email(let presented)): Mailbox.areSame(wanted[...], presented)
            default: false
            }
        }
    }
}

/// Mailboxes: the part before the at sign is taken as it is, the domain without regard to case (RFC 5280, section 7.5).
enum Mailbox {
    /// Nil unless there is exactly one at sign with something on both sides.
    static func parts(_ bytes: ArraySlice<UInt8>) -> (local: ArraySlice<UInt8>, domain: [UInt8])? {
        let parts = bytes.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        return (parts[0], ASCII.lower(parts[1]))
    }

    static func areSame(_ a: ArraySlice<UInt8>, _ b: ArraySlice<UInt8>) -> Bool {
        guard let a = parts(a), let b = parts(b) else { return false }
        return a.local == b.local && a.domain == b.domain
    }
}
