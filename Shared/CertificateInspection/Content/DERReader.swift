/// Why bytes are not what X.509's structures ask for.
package enum DERError: Error, Equatable, Sendable {
    /// The bytes end within an element, or an element is longer than what holds it.
    case truncated
    /// A length that DER does not allow: indefinite, not the shortest, or of more than four bytes.
    case length
    /// Another tag than the one that belongs here.
    case tag
    /// A value that its type does not allow.
    case value
    /// Bytes behind the end.
    case trailing
    /// More elements than a named limit lets through.
    case limit
}

/// One element of DER: its tag, what is in it, and all of it.
package struct DERElement: Sendable {
    package let tag: UInt8
    package let content: ArraySlice<UInt8>
    package let whole: ArraySlice<UInt8>
}

/// Reads DER (X.690) element by element. It looks at nothing behind its slice and never goes deeper than it is asked to.
package struct DERReader: Sendable {
    package private(set) var rest: ArraySlice<UInt8>

    package init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    package var isAtEnd: Bool { rest.isEmpty }
    package var nextTag: UInt8? { rest.first }

    package mutating func element() throws(DERError) -> DERElement {
        let start = rest.startIndex
        guard rest.count >= 2 else { throw .truncated }
        let tag = rest[start]
        // No structure of X.509 has a tag number beyond 30.
        guard tag & 0x1F != 0x1F else { throw .tag }
        var index = start + 1
        var length = Int(rest[index])
        index += 1
        if length >= 0x80 {
            let count = length & 0x7F
            guard count >= 1, count <= 4 else { throw .length }
            guard rest.endIndex - index >= count else { throw .truncated }
            length = 0
            for _ in 0..<count {
                length = length << 8 | Int(rest[index])
                index += 1
            }
            guard length >= 0x80, count == 1 || length >> (8 * (count - 1)) != 0 else { throw .length }
        }
        guard rest.endIndex - index >= length else { throw .truncated }
        let element = DERElement(tag: tag, content: rest[index..<index + length], whole: rest[start..<index + length])
        rest = rest[(index + length)...]
        return element
    }

    /// The content of the next element, which must have this tag.
    package mutating func content(_ tag: UInt8) throws(DERError) -> ArraySlice<UInt8> {
        guard nextTag == tag else { throw rest.isEmpty ? .truncated : .tag }
        return try element().content
    }

    /// The content of the next element if it has this tag.
    package mutating func optional(_ tag: UInt8) throws(DERError) -> ArraySlice<UInt8>? {
        guard nextTag == tag else { return nil }
        return try element().content
    }

    /// A reader of what is in the next element, which must have this tag.
    package mutating func inside(_ tag: UInt8) throws(DERError) -> DERReader { DERReader(try content(tag)) }

    package func end() throws(DERError) { if !rest.isEmpty { throw .trailing } }

    // MARK: Values

    /// An INTEGER that is no secret giant: 0…2^31-1.
    package static func small(_ bytes: ArraySlice<UInt8>) throws(DERError) -> Int {
        try checkInteger(bytes)
        // Five bytes, of which none can be left out, are more.
        guard let first = bytes.first, first & 0x80 == 0, bytes.count <= 4 else { throw .value }
        return bytes.reduce(0) { $0 << 8 | Int($1) }
    }

    /// Whether an INTEGER is the shortest that says its number.
    package static func checkInteger(_ bytes: ArraySlice<UInt8>) throws(DERError) {
        guard let first = bytes.first else { throw .value }
        guard bytes.count > 1 else { return }
        let second = bytes[bytes.startIndex + 1]
        if first == 0 && second & 0x80 == 0 || first == 0xFF && second & 0x80 != 0 { throw .value }
    }

    package static func bool(_ bytes: ArraySlice<UInt8>) throws(DERError) -> Bool {
        guard bytes.count == 1, let byte = bytes.first, byte == 0 || byte == 0xFF else { throw .value }
        return byte == 0xFF
    }

    /// The first sixteen bits of a BIT STRING of flags, the first flag in the lowest bit.
    package static func flags(_ bytes: ArraySlice<UInt8>) throws(DERError) -> UInt16 {
        guard let unused = bytes.first, unused < 8, bytes.count > 1 || unused == 0 else { throw .value }
        var flags: UInt16 = 0
        for (position, byte) in bytes.dropFirst().prefix(2).enumerated() {
            for bit in 0..<8 where byte & (0x80 >> UInt8(bit)) != 0 { flags |= 1 << UInt16(position * 8 + bit) }
        }
        return flags
    }

    /// Sequences, sets and other tags as X.690 numbers them.
    package enum Tag {
        package static let bool: UInt8 = 0x01
        package static let integer: UInt8 = 0x02
        package static let bitString: UInt8 = 0x03
        package static let octetString: UInt8 = 0x04
        package static let null: UInt8 = 0x05
        package static let objectIdentifier: UInt8 = 0x06
        package static let enumerated: UInt8 = 0x0A
        package static let utcTime: UInt8 = 0x17
        package static let generalizedTime: UInt8 = 0x18
        package static let sequence: UInt8 = 0x30
        package static let set: UInt8 = 0x31
    }
}
