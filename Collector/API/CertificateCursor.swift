import DocumentStores
import Hummingbird

/// Where a page of certificates ends, as a text: when the last one expires, and its place.
enum CertificateCursor {
    static let dayMilliseconds: Int64 = 86_400_000

    static func text(_ cursor: DocumentCursor) -> String { (cursor.value?.integer.map { String($0) } ?? "") + "~" + cursor.id }

    static func read(_ text: String) throws(Problem) -> DocumentCursor {
        let parts = text.split(separator: "~", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[1].isEmpty, parts[0].isEmpty || Int64(parts[0]) != nil else {
            throw Problem(.badRequest, "after is not what an answer had as next")
        }
        return DocumentCursor(value: Int64(parts[0]).map { .integer($0) }, id: String(parts[1]))
    }
}

extension Request {
    /// A SHA-256 in hexadecimal, in the letters that it is stored by.
    func fingerprint(_ text: String, _ name: String) throws(Problem) -> String {
        let id = text.lowercased()
        guard id.utf8.count == 64, id.utf8.allSatisfy({ ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x61 && $0 <= 0x66) }) else {
            throw Problem(.badRequest, "\(name) is a SHA-256 in 64 hexadecimal digits")
        }
        return id
    }

    /// A parameter that is one of a few words.
    func choice<Value>(_ name: Substring, _ known: [(name: String, value: Value)]) throws(Problem) -> Value? {
        guard let text = try parameter(name) else { return nil }
        guard let found = known.first(where: { $0.name == text }) else {
            throw Problem(.badRequest, "\(name) is none of \(known.map { $0.name }.joined(separator: ", "))")
        }
        return found.value
    }

    func choice<Value: RawRepresentable<String>>(_ name: Substring, _ known: [Value]) throws(Problem) -> Value? {
        try choice(name, known.map { ($0.rawValue, $0) })
    }

    /// A parameter that is `true` or `false`; false when it is not given.
    func flag(_ name: Substring) throws(Problem) -> Bool { try choice(name, [("true", true), ("false", false)]) ?? false }
}
