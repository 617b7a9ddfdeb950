/// A mistake in the configuration: where it stands, which key, and what was expected.
package struct SettingsProblem: Error, Equatable, Sendable, CustomStringConvertible {
    /// `/etc/farwatch/agent.yaml:12`, or the name of an environment variable.
    package let place: String
    /// The dotted key, or empty when it is about the whole file.
    package let key: String
    package let reason: String

    package init(place: String, key: String, reason: String) {
        self.place = place
        self.key = key
        self.reason = reason
    }

    package var description: String { place + ": " + (key.isEmpty ? "" : key + ": ") + reason }
}
