/// systemd's journal in its own format: fields beside the message, so that `journalctl FARWATCH_DEVICE=edge-1` finds what is told of a device.
package enum Journal {
    /// systemd.exec(5) on `$JOURNAL_STREAM`: "the device and inode numbers of the connection". What somebody has redirected does not go past him.
    package static func isStandardError(environment: (String) -> String? = Environment.value) -> Bool {
        guard let named = environment("JOURNAL_STREAM"), let place = try? FileIdentity.of("/proc/self/fd/2").place else { return false }
        return named == String(place.device) + ":" + String(place.inode)
    }

    /// Whether it took them. Values must be of one line.
    package static func send(_ text: String) -> Bool { UnixSocket.sendDatagram(text, to: "/run/systemd/journal/socket") }

    /// A line of an entry: `KEY=value`.
    package static func field(_ name: String, _ value: String) -> String { name + "=" + value + "\n" }

    /// A field for a piece of a message's metadata. systemd.journal-fields(7): names are of upper-case letters, digits and underscores.
    package static func field(metadata key: String, _ value: String) -> String {
        var name = "FARWATCH_"
        for byte in key.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): name.unicodeScalars.append(Unicode.Scalar(byte - 32))
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): name.unicodeScalars.append(Unicode.Scalar(byte))
            default: name += "_"
            }
        }
        return field(name, value)
    }
}
