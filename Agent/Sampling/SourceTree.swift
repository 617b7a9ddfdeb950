/// Where `/proc`, `/sys` and `/etc` are found: `/` on a device, a fixture's folder in a test.
package struct SourceTree: Sendable {
    /// What stands in front of an absolute path; empty for the machine itself.
    private let prefix: String

    package init(root: String = "/") {
        prefix = root.utf8.last == UInt8(ascii: "/") ? String(decoding: root.utf8.dropLast(), as: UTF8.self) : root
    }

    /// The place of an absolute path of the machine.
    package func path(_ absolute: String) -> String { prefix + absolute }
}
