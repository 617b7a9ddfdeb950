import CLinux

/// What the kernel tells of the machine by calls rather than files.
package enum Machine {
    /// The architecture as uname(2) has it: `x86_64`, `aarch64`, `armv7l`.
    package static var architecture: String {
        var name = utsname()
        guard uname(&name) == 0 else { return "unknown" }
        return withUnsafeBytes(of: &name.machine) { bytes in String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
