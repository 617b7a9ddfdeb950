import Foundation
import LinuxDriver

/// Where a collector listens: `http://` or `https://`, a host, and perhaps a port and the path of a proxy.
struct CollectorAddress {
    /// As the operator wrote it.
    let text: String
    private let base: String

    init(_ options: CollectorOptions) throws {
        let environment = Environment.value("FARWATCH_COLLECTOR").flatMap { $0.isEmpty ? nil : $0 }
        let text = options.collector ?? environment ?? CollectorOptions.addressDefault
        guard let parts = URLComponents(string: text), ["http", "https"].contains(parts.scheme), parts.host?.isEmpty == false, parts.user == nil,
            parts.query == nil, parts.fragment == nil, (1...65_535).contains(parts.port ?? 80)
        else {
            Output.errorLine("farwatch: \(Table.printable(text)) is no address of a collector, such as \(CollectorOptions.addressDefault)")
            throw Exit.usage
        }
        self.text = Table.printable(text)
        base = text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    /// A resource's URL. `path` is one that needs no encoding; a parameter without a value is left out.
    func url(_ path: String, _ query: [(String, String?)]) -> String {
        let items = query.compactMap { name, value in value.map { name + "=" + Self.encoded($0) } }
        return base + path + (items.isEmpty ? "" : "?" + items.joined(separator: "&"))
    }

    private static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain =
                byte < 0x80 && (Character(UnicodeScalar(byte)).isLetter || Character(UnicodeScalar(byte)).isNumber || "-._~".utf8.contains(byte))
            return isPlain ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }
}
