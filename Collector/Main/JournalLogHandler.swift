import LinuxDriver
import Logging

/// Writes to systemd's journal, each piece of metadata a field of its own.
struct JournalLogHandler: LogHandler {
    let label: String
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel: Logger.Level = .info
    /// What is logged by where the journal takes nothing.
    private var fallback: StreamLogHandler

    init(label: String) {
        self.label = label
        fallback = .standardError(label: label)
        fallback.logLevel = .trace
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let entry = Self.entry(
            event.message.description, level: event.level, label: label, metadata: metadata.merging(event.metadata ?? [:]) { $1 })
        if !Journal.send(entry) { fallback.log(event: event) }
    }

    /// The message has the metadata too: a list of messages shows nothing else.
    static func entry(_ message: String, level: Logger.Level, label: String, metadata: Logger.Metadata) -> String {
        var fields = Journal.field("PRIORITY", "\(priority(level))") + Journal.field("SYSLOG_IDENTIFIER", label)
        var shown = PlainLogHandler.plain(message)
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            let plain = PlainLogHandler.plain(value.description)
            shown += " \(key)=\(plain)"
            fields += Journal.field(metadata: key, plain)
        }
        return fields + Journal.field("MESSAGE", shown)
    }

    /// syslog(3)'s.
    private static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .critical: 2
        case .error: 3
        case .warning: 4
        case .notice: 5
        case .info: 6
        case .debug, .trace: 7
        }
    }
}
