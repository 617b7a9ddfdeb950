/// A certificate revocation list: RFC 5280, section 5.
package struct RevocationContent: Sendable {
    package let issuer: NameContent
    package let thisUpdate: CertificateDate
    package let nextUpdate: CertificateDate?
    /// Entries, looked through when asked: lists of public authorities have a hundred thousand.
    private let entries: ArraySlice<UInt8>
    /// A delta list, one for other issuers' certificates or for some reasons alone, or with an unknown critical extension: it proves nothing here.
    package let isPartial: Bool
    /// What it is for, where it says so.
    package let coversUsers: Bool
    package let coversAuthorities: Bool

    package init(_ der: [UInt8]) throws(DERError) {
        var outer = DERReader(der[...])
        var reader = try outer.inside(DERReader.Tag.sequence)
        try outer.end()
        var body = try reader.inside(DERReader.Tag.sequence)
        _ = try body.optional(DERReader.Tag.integer)
        _ = try body.content(DERReader.Tag.sequence)
        issuer = try NameContent(try body.content(DERReader.Tag.sequence))
        thisUpdate = try CertificateDate(try body.element())
        let hasNext = body.nextTag == DERReader.Tag.utcTime || body.nextTag == DERReader.Tag.generalizedTime
        nextUpdate = hasNext ? try CertificateDate(try body.element()) : nil
        entries = try body.optional(DERReader.Tag.sequence) ?? []
        var scope = Scope()
        if let content = try body.optional(0xA0) { try scope.read(content) }
        try body.end()
        isPartial = scope.isPartial
        coversUsers = scope.coversUsers
        coversAuthorities = scope.coversAuthorities
    }

    /// Whether a serial number, as encoded, is on the list. A malformed entry counts as found: what cannot be read must not pass.
    package func lists(_ serial: ArraySlice<UInt8>) -> Bool {
        var reader = DERReader(entries)
        do throws(DERError) {
            while !reader.isAtEnd {
                var entry = try reader.inside(DERReader.Tag.sequence)
                if try entry.content(DERReader.Tag.integer) == serial { return true }
            }
            return false
        } catch {
            return true
        }
    }

    private struct Scope {
        var isPartial = false
        var coversUsers = true
        var coversAuthorities = true

        mutating func read(_ content: ArraySlice<UInt8>) throws(DERError) {
            var outer = DERReader(content)
            var reader = try outer.inside(DERReader.Tag.sequence)
            while !reader.isAtEnd {
                var one = try reader.inside(DERReader.Tag.sequence)
                let id = try one.content(DERReader.Tag.objectIdentifier)
                let isCritical = try one.optional(DERReader.Tag.bool) != nil
                let value = try one.content(DERReader.Tag.octetString)
                guard id.count == 3, id.starts(with: ObjectId.extensionPrefix), let last = id.last else {
                    if isCritical { isPartial = true }
                    continue
                }
                switch last {
                case 28: try readDistributionPoint(value)
                case 27: isPartial = true
                // Number, authority key and issuer's names say nothing about what is covered.
                case 20, 35, 18: break
                default: if isCritical { isPartial = true }
                }
            }
        }

        private mutating func readDistributionPoint(_ value: ArraySlice<UInt8>) throws(DERError) {
            var outer = DERReader(value)
            var reader = try outer.inside(DERReader.Tag.sequence)
            while !reader.isAtEnd {
                let element = try reader.element()
                let isSet = element.content.first ?? 0 != 0
                switch element.tag {
                case 0x81: if isSet { coversAuthorities = false }
                case 0x82: if isSet { coversUsers = false }
                case 0x83: isPartial = true
                case 0x84, 0x85: if isSet { isPartial = true }
                default: break
                }
            }
        }
    }
}
