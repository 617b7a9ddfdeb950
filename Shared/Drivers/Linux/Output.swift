import CLinux

/// Text to a file descriptor by write(2): no buffers of stdio, the same in ordinary and Embedded Swift.
package enum Output {
    /// Nobody may be reading any more; that is not told.
    package static func write(_ text: String, to fd: Int32) { _ = tryWrite(text, to: fd) }

    /// Nil when all of it was written.
    package static func tryWrite(_ text: String, to fd: Int32) -> SystemError? {
        var text = text
        return text.withUTF8 { bytes -> SystemError? in
            var offset = 0
            while offset < bytes.count {
                let count = CLinux.write(fd, bytes.baseAddress! + offset, bytes.count - offset)
                if count < 0 {
                    if farwatch_errno() == EINTR { continue }
                    return SystemError.last("write")
                }
                offset += count
            }
            return nil
        }
    }

    package static let standard = STDOUT_FILENO

    package static func line(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }
    package static func errorLine(_ text: String) { write(text + "\n", to: STDERR_FILENO) }
}

/// How a log line weighs; the raw value is syslog's, which journald reads from the `<N>` in front of a line (sd-daemon(3)).
package enum LogLevel: Int, Sendable, Comparable {
    case error = 3, warning = 4, notice = 5, info = 6, debug = 7

    package static func < (a: LogLevel, b: LogLevel) -> Bool { a.rawValue > b.rawValue }

    package var name: String {
        switch self {
        case .error: "error"
        case .warning: "warning"
        case .notice: "notice"
        case .info: "info"
        case .debug: "debug"
        }
    }
}

/// The agent's log: a constant message and metadata, a line each, on stderr. Where that is the journal it takes them as fields of their own,
/// elsewhere a line begins with a time and the level's name.
package struct Log: Sendable {
    package var minimum: LogLevel
    private let isJournal = Journal.isStandardError()

    package init(minimum: LogLevel = .info) { self.minimum = minimum }

    package func callAsFunction(_ level: LogLevel, _ message: StaticString, _ metadata: (StaticString, String)...) {
        guard level >= minimum else { return }
        var line = message.text
        var fields = Journal.field("PRIORITY", String(level.rawValue)) + Journal.field("SYSLOG_IDENTIFIER", "farwatch-agent")
        for (key, value) in metadata {
            let value = Self.escaped(value)
            line += " " + key.text + "=" + (value.contains(" ") ? "\"" + value + "\"" : value)
            fields += Journal.field(metadata: key.text, value)
        }
        if isJournal {
            // sd-daemon(3): a line's priority is the `<N>` in front of it.
            if !Journal.send(fields + Journal.field("MESSAGE", line)) { Output.errorLine("<" + String(level.rawValue) + ">" + line) }
        } else {
            Output.errorLine(Timestamp.text(Clock.system.wall()) + " " + level.name + " " + line)
        }
    }

    /// A value as one line that no terminal takes for a command, whoever sent it: control characters (those of Unicode's category Cc), the separators of
    /// lines and paragraphs, and the marks that turn the direction of writing are written as their numbers.
    package static func escaped(_ value: String) -> String {
        guard value.unicodeScalars.contains(where: isUnsafe) else { return value }
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where isUnsafe(scalar): text += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0...0x1F, 0x7F...0x9F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}

extension StaticString {
    /// The text as a String; Embedded Swift has no `String(describing:)`.
    package var text: String { withUTF8Buffer { String(decoding: $0, as: UTF8.self) } }
}
