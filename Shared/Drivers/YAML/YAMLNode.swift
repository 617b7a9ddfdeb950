/// A value of a YAML document, with the line it stands on (from 1).
package struct YAMLNode: Sendable {
    package enum Content: Sendable {
        case scalar(String)
        /// `key:` with nothing behind it, `~` or `null`.
        case null
        case sequence([YAMLNode])
        /// In the order of the file; a key may stand twice.
        case mapping([(key: String, line: Int, value: YAMLNode)])
    }

    package let content: Content
    package let line: Int
}

/// Why a text is no YAML that we read, and where.
package struct YAMLError: Error, Equatable, Sendable, CustomStringConvertible {
    /// From 1; 0 when it is about the whole file.
    package let line: Int
    package let reason: String

    package var description: String { "line " + String(line) + ": " + reason }
}
