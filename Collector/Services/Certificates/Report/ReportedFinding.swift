import DocumentStores

/// A finding as a device reported it.
package struct ReportedFinding: Equatable, Sendable {
    /// Findings of a certificate, and the letters of each text, that are kept.
    static let countMax = 64
    static let charactersMax = 256

    package let code: String
    package let severity: String
    package let detail: String

    init?(_ value: JSONValue) {
        guard let code = value["code"]?.text, !code.isEmpty else { return nil }
        self.code = Self.cut(code)
        severity = Self.cut(value["severity"]?.text ?? "")
        detail = Self.cut(value["detail"]?.text ?? "")
    }

    init(_ reuse: KeyReuse) {
        code = reuse.code
        severity = reuse.rawValue
        detail = ""
    }

    var json: JSONValue { ["code": .string(code), "severity": .string(severity), "detail": .string(detail)] }

    static func list(_ value: JSONValue?) -> [ReportedFinding] { (value?.array ?? []).prefix(countMax).compactMap { ReportedFinding($0) } }

    private static func cut(_ text: String) -> String {
        var short = String.UnicodeScalarView()
        short.append(contentsOf: text.unicodeScalars.prefix(charactersMax))
        return String(short)
    }
}
