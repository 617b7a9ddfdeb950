import Logging

/// Writes what another handler does, with control characters as escapes: what devices send must neither begin a line of its own nor reach a
/// terminal's controls.
struct PlainLogHandler: LogHandler {
    private var base: any LogHandler

    init(_ base: any LogHandler) { self.base = base }

    var metadata: Logger.Metadata {
        get { base.metadata }
        set { base.metadata = newValue }
    }
    var metadataProvider: Logger.MetadataProvider? {
        get { base.metadataProvider }
        set { base.metadataProvider = newValue }
    }
    var logLevel: Logger.Level {
        get { base.logLevel }
        set { base.logLevel = newValue }
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { base[metadataKey: key] }
        set { base[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) {
        var plain = event
        plain.message = Logger.Message(stringLiteral: Self.plain(event.message.description))
        plain.metadata = event.metadata?.mapValues { .string(Self.plain($0.description)) }
        base.log(event: plain)
    }

    /// Without C0 and C1 control characters, DEL, and Unicode's line and paragraph separators.
    static func plain(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var plain = ""
        for scalar in text.unicodeScalars {
            if isControl(scalar) { plain += scalar.escaped(asASCII: true) } else { plain.unicodeScalars.append(scalar) }
        }
        return plain
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .control || scalar == "\u{2028}" || scalar == "\u{2029}"
    }
}
