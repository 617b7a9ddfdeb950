/// Why bytes are not JSON, and where.
package struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Reason: String, Sendable {
        case unexpected = "unexpected_byte"
        case truncated
        case tooDeep = "too_deep"
        case tooLarge = "too_large"
        case badText = "bad_text"
        case badNumber = "bad_number"
        case trailingBytes = "trailing_bytes"
    }

    package let reason: Reason
    /// Of the offending byte, from 0.
    package let offset: Int

    package var description: String { reason.rawValue + " at byte " + String(offset) }
}

/// Reads JSON (RFC 8259, strictly) from whoever sent it: depth, bytes and values are bounded, and every malformed input ends in one
/// typed error. Of members with the same name the last stands.
package struct JSONParser {
    package static let depthMax = 32
    package static let bytesMax = 1024 * 1024
    /// Values of a whole document: a byte of `[1,1,1…` must not become a kilobyte of memory.
    package static let valuesMax = 200_000

    private let bytes: ArraySlice<UInt8>
    private let depthMax: Int
    private var index: Int
    private var values = 0

    package static func parse(_ bytes: ArraySlice<UInt8>, depthMax: Int = depthMax) throws(JSONError) -> JSONValue {
        var parser = JSONParser(bytes, depthMax: depthMax)
        guard bytes.count <= bytesMax else { throw parser.error(.tooLarge) }
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.index == bytes.endIndex else { throw parser.error(.trailingBytes) }
        return value
    }

    package static func parse(_ text: String) throws(JSONError) -> JSONValue { try parse(Array(text.utf8)[...]) }

    private init(_ bytes: ArraySlice<UInt8>, depthMax: Int) {
        self.bytes = bytes
        self.depthMax = depthMax
        index = bytes.startIndex
    }

    private func error(_ reason: JSONError.Reason) -> JSONError { JSONError(reason: reason, offset: index - bytes.startIndex) }

    private func peek() throws(JSONError) -> UInt8 {
        guard index < bytes.endIndex else { throw error(.truncated) }
        return bytes[index]
    }

    private mutating func skipSpace() {
        while index < bytes.endIndex, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) { index += 1 }
    }

    private mutating func expect(_ text: StaticString) throws(JSONError) {
        for offset in 0..<text.utf8CodeUnitCount {
            guard try peek() == text.utf8Start[offset] else { throw error(.unexpected) }
            index += 1
        }
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard depth <= depthMax else { throw error(.tooDeep) }
        values += 1
        guard values <= Self.valuesMax else { throw error(.tooLarge) }
        skipSpace()
        switch try peek() {
        case UInt8(ascii: "{"): return .object(try object(depth))
        case UInt8(ascii: "["): return .array(try array(depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"):
            try expect("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try expect("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try expect("null")
            return .null
        default: return try number()
        }
    }

    private mutating func object(_ depth: Int) throws(JSONError) -> [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        index += 1
        skipSpace()
        if try takeIf("}") { return members }
        while true {
            skipSpace()
            guard try peek() == UInt8(ascii: "\"") else { throw error(.unexpected) }
            let name = try string()
            skipSpace()
            try expect(":")
            members[name] = try value(depth: depth + 1)
            skipSpace()
            if try takeIf("}") { return members }
            try expect(",")
        }
    }

    private mutating func array(_ depth: Int) throws(JSONError) -> [JSONValue] {
        var elements: [JSONValue] = []
        index += 1
        skipSpace()
        if try takeIf("]") { return elements }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if try takeIf("]") { return elements }
            try expect(",")
        }
    }

    private mutating func takeIf(_ character: Unicode.Scalar) throws(JSONError) -> Bool {
        guard try peek() == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    // MARK: Numbers

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = index
        if try peek() == UInt8(ascii: "-") { index += 1 }
        let leading = index
        guard digits() > 0 else { throw error(.unexpected) }
        guard bytes[leading] != UInt8(ascii: "0") || index == leading + 1 else { throw error(.badNumber) }
        var isWhole = true
        if index < bytes.endIndex, bytes[index] == UInt8(ascii: ".") {
            isWhole = false
            index += 1
            guard digits() > 0 else { throw error(.badNumber) }
        }
        if index < bytes.endIndex, bytes[index] | 0x20 == UInt8(ascii: "e") {
            isWhole = false
            index += 1
            if index < bytes.endIndex, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") { index += 1 }
            guard digits() > 0 else { throw error(.badNumber) }
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        if isWhole, let integer = Int64(text) { return .integer(integer) }
        guard let number = Double(text), number.isFinite else { throw error(.badNumber) }
        return .number(number)
    }

    private mutating func digits() -> Int {
        let start = index
        while index < bytes.endIndex, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index]) { index += 1 }
        return index - start
    }

    // MARK: Strings

    private mutating func string() throws(JSONError) -> String {
        index += 1
        if let plain = plainString() { return plain }
        var text: [UInt8] = []
        while true {
            let byte = try peek()
            index += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw error(.badText) }
                return string
            case UInt8(ascii: "\\"): text += try escape()
            case 0..<0x20: throw error(.badText)
            default: text.append(byte)
            }
        }
    }

    /// A string of ASCII without escapes, as most are; nil, and nothing taken, for any other.
    private mutating func plainString() -> String? {
        var end = index
        while end < bytes.endIndex, bytes[end] != UInt8(ascii: "\"") {
            guard (0x20..<0x80).contains(bytes[end]), bytes[end] != UInt8(ascii: "\\") else { return nil }
            end += 1
        }
        guard end < bytes.endIndex else { return nil }
        defer { index = end + 1 }
        return String(decoding: bytes[index..<end], as: UTF8.self)
    }

    private mutating func escape() throws(JSONError) -> [UInt8] {
        let byte = try peek()
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return Array(String(Character(try scalar())).utf8)
        default: throw error(.badText)
        }
    }

    /// The scalar of a `\u` with its four hexadecimal digits, or of two of them that are a surrogate pair; half a pair is an error.
    private mutating func scalar() throws(JSONError) -> Unicode.Scalar {
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00 else { throw error(.badText) }
        try expect("\\u")
        let second = try hexadecimal()
        guard (0xDC00...0xDFFF).contains(second), let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) else {
            throw error(.badText)
        }
        return scalar
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(try peek())).hexDigitValue else { throw error(.badText) }
            value = value << 4 | UInt32(digit)
            index += 1
        }
        return value
    }
}
