/// An X.501 name, in the form in which two names are compared: RFC 5280, section 7.1.
package struct NameContent: Equatable, Sendable {
    /// Relative names of one name; the longest that are in use have about ten.
    package static let relativeNamesMax = 64
    package static let attributesMax = 64

    /// Each relative name's attributes, sorted: object identifier and folded value, with their lengths in front.
    package let relativeNames: [[UInt8]]
    /// The values of common names, from the most general to the most specific.
    package let commonNames: [ArraySlice<UInt8>]
    package let emails: [ArraySlice<UInt8>]

    package var isEmpty: Bool { relativeNames.isEmpty }

    package static func == (a: NameContent, b: NameContent) -> Bool { a.relativeNames == b.relativeNames }

    /// From the content of a `Name`.
    init(_ content: ArraySlice<UInt8>) throws(DERError) {
        var relative: [[UInt8]] = []
        var common: [ArraySlice<UInt8>] = []
        var mails: [ArraySlice<UInt8>] = []
        var reader = DERReader(content)
        while !reader.isAtEnd {
            guard relative.count < Self.relativeNamesMax else { throw .limit }
            var set = try reader.inside(DERReader.Tag.set)
            var attributes: [[UInt8]] = []
            while !set.isAtEnd {
                guard attributes.count < Self.attributesMax else { throw .limit }
                var pair = try set.inside(DERReader.Tag.sequence)
                let type = try pair.content(DERReader.Tag.objectIdentifier)
                let value = try pair.element()
                try pair.end()
                if type.elementsEqual(ObjectId.commonName) { common.append(value.content) }
                if type.elementsEqual(ObjectId.emailAddress) { mails.append(value.content) }
                attributes.append(Self.framed(Array(type)) + Self.framed(FoldedText.fold(value)))
            }
            guard !attributes.isEmpty else { throw .value }
            if attributes.count > 1 { attributes.sort { $0.lexicographicallyPrecedes($1) } }
            relative.append(attributes.count == 1 ? attributes[0] : attributes.reduce(into: []) { $0 += $1 })
        }
        relativeNames = relative
        commonNames = common
        emails = mails
    }

    /// Whether this name lies in the subtree of another: begins as that one does.
    func isWithin(_ base: NameContent) -> Bool { relativeNames.starts(with: base.relativeNames) }

    private static func framed(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8(truncatingIfNeeded: bytes.count >> 8), UInt8(truncatingIfNeeded: bytes.count)] + bytes
    }
}

/// Attribute values as they are compared: text as UTF-8 without regard to the case of ASCII letters and to runs of spaces.
enum FoldedText {
    /// The tag of text is made one for all its types, so that a PrintableString equals a UTF8String.
    static func fold(_ value: DERElement) -> [UInt8] {
        switch value.tag {
        case 0x0C, 0x12, 0x13, 0x14, 0x16, 0x1A: return [0x0C] + squeezed(value.content)
        case 0x1E: return [0x0C] + squeezed(wide(value.content, 2)[...])
        case 0x1C: return [0x0C] + squeezed(wide(value.content, 4)[...])
        default: return [value.tag] + value.content
        }
    }

    private static func squeezed(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var folded: [UInt8] = []
        folded.reserveCapacity(bytes.count + 1)
        var owesSpace = false
        for byte in bytes {
            if byte == 0x20 || 0x09...0x0D ~= byte {
                owesSpace = !folded.isEmpty
                continue
            }
            if owesSpace { folded.append(0x20) }
            owesSpace = false
            folded.append(ASCII.lower(byte))
        }
        return folded
    }

    /// BMPString and UniversalString, big-endian units of two and four bytes, as UTF-8.
    private static func wide(_ bytes: ArraySlice<UInt8>, _ width: Int) -> [UInt8] {
        var text = ""
        var index = bytes.startIndex
        while bytes.endIndex - index >= width {
            var unit: UInt32 = 0
            for offset in 0..<width { unit = unit << 8 | UInt32(bytes[index + offset]) }
            text.unicodeScalars.append(Unicode.Scalar(unit) ?? "\u{FFFD}")
            index += width
        }
        return Array(text.utf8)
    }
}

/// Letters of ASCII.
enum ASCII {
    static func lower(_ byte: UInt8) -> UInt8 { 0x41...0x5A ~= byte ? byte | 0x20 : byte }
    static func lower(_ bytes: ArraySlice<UInt8>) -> [UInt8] { bytes.map { lower($0) } }
    static func isDigit(_ byte: UInt8) -> Bool { 0x30...0x39 ~= byte }
}
