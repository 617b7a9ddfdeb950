/// A command with its arguments, as bytes.
package struct RedisCommand: Equatable, Sendable {
    /// E.g. `SET`; the only part that errors tell.
    package let name: String
    package let arguments: [[UInt8]]

    package init(_ name: String, _ arguments: [[UInt8]] = []) {
        self.name = name
        self.arguments = arguments
    }

    /// With texts as arguments.
    package init(_ name: String, _ texts: String...) { self.init(name, texts.map { Array($0.utf8) }) }

    /// Bytes on the wire, not less.
    var bytesMax: Int { arguments.reduce(Self.overhead + name.utf8.count) { $0 + $1.count + Self.overhead } }

    /// `$`, a length of up to 19 digits, two line ends.
    private static let overhead = 24

    /// Appends it as the protocol has it: an array of bulk strings. <https://redis.io/docs/latest/develop/reference/protocol-spec/>
    func encode(into wire: inout [UInt8]) {
        // `CLIENT SETNAME` is two words on the wire.
        let words = name.utf8.split(separator: UInt8(ascii: " "))
        Self.header(UInt8(ascii: "*"), words.count + arguments.count, into: &wire)
        for word in words { Self.bulk(word, into: &wire) }
        for argument in arguments { Self.bulk(argument, into: &wire) }
    }

    private static func bulk(_ bytes: some Collection<UInt8>, into wire: inout [UInt8]) {
        header(UInt8(ascii: "$"), bytes.count, into: &wire)
        wire.append(contentsOf: bytes)
        wire.append(0x0D)
        wire.append(0x0A)
    }

    private static func header(_ kind: UInt8, _ count: Int, into wire: inout [UInt8]) {
        wire.append(kind)
        wire.append(contentsOf: String(count).utf8)
        wire.append(0x0D)
        wire.append(0x0A)
    }
}
