/// Text from outside, kept short enough that a record always fits its document.
enum BoundedText {
    static let mark = "…"

    /// The text if it has at most `limit` bytes of UTF-8, or else its beginning, whole letters only, and a mark.
    static func cut(_ text: String, to limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var short = ""
        var count = mark.utf8.count
        for scalar in text.unicodeScalars {
            count += UTF8.width(scalar)
            if count > limit { break }
            short.unicodeScalars.append(scalar)
        }
        return short + mark
    }

    /// What a text costs beside its letters: JSON's quotes and comma. Otherwise a certificate of empty names would cost nothing.
    private static let overhead = 3

    /// As many texts as fit `limit` bytes together, and one that says how many are left out.
    static func cut(_ texts: [String], to limit: Int) -> [String] {
        var count = 0
        for (index, text) in texts.enumerated() {
            count += text.utf8.count + overhead
            if count > limit { return Array(texts[..<index]) + [mark + " " + String(texts.count - index) + " more"] }
        }
        return texts
    }
}
