/// Text from outside, kept short enough that a record always fits its document.
package enum BoundedText {
    static let mark = "…"

    /// The text if it has at most `limit` bytes of UTF-8, or else its beginning, whole letters only, and a mark.
    package static func cut(_ text: String, to limit: Int) -> String {
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

    /// The path if it has at most `limit` bytes, or else a mark and its end: the name of a file says more than the root it lies under.
    static func cut(path: String, to limit: Int) -> String {
        guard path.utf8.count > limit else { return path }
        let scalars = path.unicodeScalars
        var start = scalars.endIndex
        var count = mark.utf8.count
        while start > scalars.startIndex {
            let before = scalars.index(before: start)
            count += UTF8.width(scalars[before])
            if count > limit { break }
            start = before
        }
        return mark + String(scalars[start...])
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
