import CertificateInspection

/// Which profile certificates are measured by, after where they lie.
package struct ProfilePaths: Equatable, Sendable {
    /// Where nothing else is said.
    package var standard = ValidationProfile.device
    /// Files and directories whose certificates face the web.
    package var web: [String] = []

    package init() {}

    package func profile(of path: String) -> ValidationProfile {
        web.contains { Self.isWithin(path, $0) } ? .webpki : standard
    }

    /// Whether a path is the other or lies below it.
    private static func isWithin(_ path: String, _ directory: String) -> Bool {
        var base = Array(directory.utf8)
        while base.count > 1, base.last == UInt8(ascii: "/") { base.removeLast() }
        guard path.utf8.starts(with: base) else { return false }
        return path.utf8.count == base.count || base.last == UInt8(ascii: "/") || path.utf8.dropFirst(base.count).first == UInt8(ascii: "/")
    }
}
