/// A device's name: 1…64 of `A-Z a-z 0-9 . _ -`, but neither `.` nor `..`, which are no names in a path. A value of this type is a valid one,
/// wherever it came from.
package struct DeviceId: Hashable, Sendable, Comparable, CustomStringConvertible {
    package static let lengthMax = 64

    package let text: String

    /// Nil for anything but 1…64 of `A-Z a-z 0-9 . _ -`.
    package init?(_ text: String) {
        guard Self.isValid(text.utf8), text != ".", text != ".." else { return nil }
        self.text = text
    }

    package var description: String { text }
    package static func < (a: DeviceId, b: DeviceId) -> Bool { a.text < b.text }

    private static func isValid(_ utf8: String.UTF8View) -> Bool {
        guard (1...lengthMax).contains(utf8.count) else { return false }
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                continue
            default: return false
            }
        }
        return true
    }
}

/// One life of a device's buffer: random, never 0 (0 in an acknowledgement means "unreadable").
package typealias StreamId = UInt64

/// A batch's number within its stream: from 1, without gaps.
package typealias Sequence64 = UInt64

/// The MQTT topics under `farwatch/v1/<device>/`.
package enum Topic {
    package static let root = "farwatch/v1/"

    /// Batches, device to collector.
    package static func up(_ device: DeviceId) -> String { root + device.text + "/up" }
    /// Acknowledgements, collector to device.
    package static func ack(_ device: DeviceId) -> String { root + device.text + "/ack" }
    /// Retained presence: `online`, or `offline` as the will.
    package static func status(_ device: DeviceId) -> String { root + device.text + "/status" }

    /// Batches of every device, spread over all collectors (MQTT 5, section 4.8.2).
    package static let everyUp = "$share/collectors/" + root + "+/up"
    package static let everyStatus = root + "+/status"

    /// The device and the last level of a topic of ours, or nil.
    package static func parse(_ topic: String) -> (device: DeviceId, leaf: String)? {
        guard topic.utf8.starts(with: root.utf8) else { return nil }
        let rest = topic.utf8.dropFirst(root.utf8.count)
        guard let slash = rest.firstIndex(of: UInt8(ascii: "/")), let device = DeviceId(String(rest[..<slash]) ?? "") else { return nil }
        return (device, String(rest[rest.index(after: slash)...]) ?? "")
    }
}
