/// A file of the console, compiled into the program.
struct ConsoleAsset: Sendable {
    let contentType: String
    let bytes: [UInt8]
    /// For `If-None-Match`: two programs with the same file agree, a changed file never does.
    let entityTag: String

    init(_ contentType: String, _ bytes: [UInt8]) {
        self.contentType = contentType
        self.bytes = bytes
        entityTag = "\"" + Self.hash(bytes) + "\""
    }

    /// Type by the end of a name.
    static func contentType(of name: String) -> String {
        switch name.split(separator: ".").last {
        case "html": "text/html; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "svg": "image/svg+xml"
        default: "application/octet-stream"
        }
    }

    /// FNV-1a of 64 bits, with the length: it tells versions apart, it guards nothing. <https://datatracker.ietf.org/doc/html/rfc9923>
    private static func hash(_ bytes: [UInt8]) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return String(hash, radix: 16) + "-" + String(bytes.count, radix: 16)
    }
}
