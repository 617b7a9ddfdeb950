/// JSON being written (RFC 8259), without Foundation: the documents that the agent sends and what it prints with `--json`.
package struct JSONWriter {
    package private(set) var text = ""
    private var needsComma = false

    package init() {}

    package mutating func object(_ key: String? = nil, _ body: (inout JSONWriter) -> Void) { container(key, "{", "}", body) }
    package mutating func array(_ key: String? = nil, _ body: (inout JSONWriter) -> Void) { container(key, "[", "]", body) }

    package mutating func string(_ key: String? = nil, _ value: String) {
        begin(key)
        quote(value)
    }

    package mutating func integer(_ key: String? = nil, _ value: Int64) {
        begin(key)
        text += String(value)
    }

    /// A number; JSON has no NaN and no infinities, they become null.
    package mutating func number(_ key: String? = nil, _ value: Double) {
        begin(key)
        text += value.isFinite ? value.description : "null"
    }

    package mutating func bool(_ key: String? = nil, _ value: Bool) {
        begin(key)
        text += value ? "true" : "false"
    }

    package mutating func null(_ key: String? = nil) {
        begin(key)
        text += "null"
    }

    /// A value that is JSON already.
    package mutating func raw(_ key: String? = nil, _ json: String) {
        begin(key)
        text += json
    }

    private mutating func container(_ key: String?, _ open: String, _ close: String, _ body: (inout JSONWriter) -> Void) {
        begin(key)
        text += open
        needsComma = false
        body(&self)
        text += close
        needsComma = true
    }

    private mutating func begin(_ key: String?) {
        if needsComma { text += "," }
        needsComma = true
        if let key {
            quote(key)
            text += ":"
        }
    }

    private mutating func quote(_ value: String) {
        text += "\""
        if value.utf8.allSatisfy(Self.isPlain) { text += value } else { escape(value) }
        text += "\""
    }

    /// Most texts have nothing that JSON wants escaped.
    private static func isPlain(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") }

    private mutating func escape(_ value: String) {
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - hex.utf8.count) + hex
            default: text.unicodeScalars.append(scalar)
            }
        }
    }
}
