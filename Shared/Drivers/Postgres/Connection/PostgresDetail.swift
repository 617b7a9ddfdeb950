/// The server's and libpq's words, cleaned of what must not be told and bounded.
package enum PostgresDetail {
    /// Longer messages are cut.
    package static let charactersMax = 500

    /// A message of the server's. Those about values (class 22) quote the value: what stands in quotes is left out.
    package static func clean(_ message: String, sqlState: String?) -> String {
        let text = sqlState?.hasPrefix("22") == true ? withoutQuoted(message) : message
        return bounded(text)
    }

    /// What libpq tells when a connection fails: a line an address, and with full verbosity a line with the place in the server's source.
    package static func ofConnection(_ message: String) -> String {
        let lines = message.split(whereSeparator: \.isNewline).filter { !isSourceLocation($0) }.map { $0.drop(while: \.isWhitespace) }
        return bounded(lines.joined(separator: "; "))
    }

    /// The code in libpq's message of a refused connection, `FATAL:  28P01: …`: it keeps the server's error as text alone. There may be two, of a
    /// try with and one without TLS: that of the wrong password is what is to be told, otherwise the last.
    package static func sqlState(inConnectionMessage message: String) -> String? {
        let codes = message.split(whereSeparator: \.isNewline).compactMap { line in
            line.split(separator: ":").map { $0.drop { $0 == " " } }.first(where: isCode)
        }
        return (codes.first { $0 == "28P01" } ?? codes.last).map(String.init)
    }

    /// The row in the context of a failed COPY, `COPY <table>, line 12, column …`; the words around the number depend on the server's language.
    package static func copyRow(inContext context: String, table: String) -> Int? {
        guard let start = context.firstRange(of: "COPY " + table + ", ")?.upperBound else { return nil }
        return Int(context[start...].drop { !$0.isNumber }.prefix { $0.isNumber })
    }

    private static func bounded(_ text: String) -> String {
        text.count <= charactersMax ? text : String(text.prefix(charactersMax)) + "…"
    }

    private static func withoutQuoted(_ text: String) -> String {
        guard let first = text.firstIndex(of: "\""), let last = text.lastIndex(of: "\""), first < last else { return text }
        return text[...first] + "…" + text[last...]
    }

    private static func isCode(_ text: Substring) -> Bool {
        text.utf8.count == 5 && text.contains(where: \.isNumber)
            && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
    }

    private static func isSourceLocation(_ line: Substring) -> Bool {
        guard let colon = line.lastIndex(of: ":") else { return false }
        return line[..<colon].hasSuffix(".c") && line[line.index(after: colon)...].allSatisfy(\.isNumber)
    }
}
