/// A `GeneralName` of RFC 5280, section 4.2.1.6, as its bytes are.
package enum GeneralName: Sendable {
    case dns(ArraySlice<UInt8>)
    case email(ArraySlice<UInt8>)
    case uri(ArraySlice<UInt8>)
    /// Four or sixteen bytes in a name; twice as many, address and mask, in a constraint.
    case address(ArraySlice<UInt8>)
    case directory(NameContent)
    /// Other names, X.400 addresses, EDI parties and registered identifiers, by the number of their tag.
    case other(UInt8)

    /// The number of the tag: names of one kind have one number.
    var kind: UInt8 {
        switch self {
        case .email: 1
        case .dns: 2
        case .directory: 4
        case .uri: 6
        case .address: 7
        case .other(let number): number
        }
    }

    init(_ element: DERElement) throws(DERError) {
        switch element.tag {
        case 0x81: self = .email(element.content)
        case 0x82: self = .dns(element.content)
        case 0x86: self = .uri(element.content)
        case 0x87: self = .address(element.content)
        case 0xA4:
            var reader = DERReader(element.content)
            self = .directory(try NameContent(try reader.content(DERReader.Tag.sequence)))
            try reader.end()
        case 0xA0, 0xA3, 0xA5, 0x88: self = .other(element.tag & 0x1F)
        default: throw .tag
        }
    }

    /// The content of `GeneralNames`; there must be one at least.
    static func list(_ content: ArraySlice<UInt8>, max: Int) throws(DERError) -> [GeneralName] {
        var names: [GeneralName] = []
        var reader = DERReader(content)
        while !reader.isAtEnd {
            guard names.count < max else { throw .limit }
            names.append(try GeneralName(try reader.element()))
        }
        guard !names.isEmpty else { throw .value }
        return names
    }
}

/// The name constraints of an authority: RFC 5280, section 4.2.1.10.
package struct NameConstraintsContent: Sendable {
    static let subtreesMax = 16_384

    let permitted: [GeneralName]
    let excluded: [GeneralName]

    init(_ content: ArraySlice<UInt8>) throws(DERError) {
        var reader = DERReader(content)
        permitted = try Self.subtrees(try reader.optional(0xA0))
        excluded = try Self.subtrees(try reader.optional(0xA1))
        try reader.end()
        // An empty sequence says nothing, and RFC 5280 forbids it.
        guard !permitted.isEmpty || !excluded.isEmpty else { throw .value }
    }

    private static func subtrees(_ content: ArraySlice<UInt8>?) throws(DERError) -> [GeneralName] {
        guard let content else { return [] }
        guard !content.isEmpty else { throw .value }
        var names: [GeneralName] = []
        var reader = DERReader(content)
        while !reader.isAtEnd {
            guard names.count < subtreesMax else { throw .limit }
            var subtree = try reader.inside(DERReader.Tag.sequence)
            names.append(try GeneralName(try subtree.element()))
            // RFC 5280: minimum must be zero, which DER leaves out, and maximum absent.
            try subtree.end()
        }
        return names
    }
}
