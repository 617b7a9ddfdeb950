import CLinux

/// What the kernel knows of a socket that a library made (socket(7)).
package struct ForeignSocket {
    private let fd: Int32

    package init(_ fd: Int32) { self.fd = fd }

    /// Why its connection failed, an `errno`, which asking forgets; 0 while nothing has.
    package func takeError() -> Int32 { option(SO_ERROR) ?? 0 }

    package var isIPv6: Bool { option(SO_DOMAIN) == AF_INET6 }

    private func option(_ name: Int32) -> Int32? {
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : nil
    }
}
