import CLinux

/// The process's environment and arguments, without Foundation.
package enum Environment {
    package static func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    package static func set(_ name: String, _ value: String, replacing: Bool = true) { setenv(name, value, replacing ? 1 : 0) }

    /// The command line, program name first. Embedded Swift has no `CommandLine`; proc(5): "a set of strings separated by null bytes".
    package static func arguments() -> [String] {
        guard let bytes = try? SmallFile.read("/proc/self/cmdline") else { return [] }
        var arguments: [String] = []
        var current: [UInt8] = []
        for byte in bytes {
            if byte == 0 {
                arguments.append(FileName.text(current))
                current.removeAll(keepingCapacity: true)
            } else {
                current.append(byte)
            }
        }
        return arguments
    }

    /// Begins the program anew in this process, with the same arguments: nothing of it stays but the process id. Returns only when that fails.
    package static func restart() {
        // execve(2): file descriptors stay open "except those marked close-on-exec"; libmosquitto does not mark its sockets.
        for name in (try? SmallFile.names(in: "/proc/self/fd")) ?? [] {
            if let fd = Int32(name), fd > STDERR_FILENO { farwatch_close_on_exec(fd) }
        }
        var pointers: [UnsafeMutablePointer<CChar>?] = arguments().map { strdup($0) }
        pointers.append(nil)
        execv("/proc/self/exe", pointers)
        for pointer in pointers { free(pointer) }
    }

    package static func exit(_ code: Int32) -> Never { CLinux.exit(code) }

    package static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Waits without a loop: for command lines only.
    package static func sleep(milliseconds: Int64) { usleep(UInt32(clamping: milliseconds * 1000)) }
}
