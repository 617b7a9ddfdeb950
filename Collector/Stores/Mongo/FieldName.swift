/// Names of fields: a dot or a dollar sign means something to MongoDB, devices may send both. Each such name has one other in the store:
/// `%` and two hexadecimal digits stand for a byte, as in URLs; the empty name is `%`.
enum FieldName {
    static let id = "_id"
    /// A number that is new with each write, see `Revision`: who has read a document sees by it that another has written it.
    static let revision = "_revision"

    /// - Parameter isTop: of the document itself, where the store's own fields are.
    static func encoded(_ name: String, isTop: Bool) -> String {
        if isTop, name == id || name == revision { return "%5F" + name.dropFirst() }
        guard name.isEmpty || name.utf8.first == UInt8(ascii: "$") || name.utf8.contains(where: isEscaped) else { return name }
        guard !name.isEmpty else { return "%" }
        var encoded = ""
        for (index, scalar) in name.unicodeScalars.enumerated() {
            switch scalar {
            case "%": encoded += "%25"
            case ".": encoded += "%2E"
            case "\0": encoded += "%00"
            case "$" where index == 0: encoded += "%24"
            default: encoded.unicodeScalars.append(scalar)
            }
        }
        return encoded
    }

    private static func isEscaped(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "%") || byte == UInt8(ascii: ".") || byte == 0 }

    static func decoded(_ name: String) -> String {
        guard name.utf8.contains(UInt8(ascii: "%")) else { return name }
        var decoded: [UInt8] = []
        var rest = Array(name.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                decoded.append(byte)
                continue
            }
            // What somebody else has written stays as it is.
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16) else {
                if !rest.isEmpty { decoded.append(byte) }
                continue
            }
            decoded.append(value)
            rest = rest.dropFirst(2)
        }
        return String(decoding: decoded, as: UTF8.self)
    }
}
