import CLinux

/// An IPv4 or IPv6 address with a port, as the kernel takes it (ip(7), ipv6(7)).
package struct SocketAddress: Sendable {
    private let storage: sockaddr_storage
    private let length: socklen_t

    /// The address that a text is, without asking anybody; nil for a name.
    package init?(numeric host: String, port: UInt16) {
        self.init(host, port: port, flags: AI_NUMERICHOST)
    }

    /// The first address of a name, by getaddrinfo(3): waits for the answer, as long as `RES_OPTIONS` says (resolv.conf(5)). Nil when there is none.
    package init?(resolving host: String, port: UInt16) {
        self.init(host, port: port, flags: AI_ADDRCONFIG)
    }

    /// The addresses of a name, the best first (RFC 6724), as many at most.
    package static func all(resolving host: String, port: UInt16, max: Int) -> [SocketAddress] {
        look(host, port: port, flags: AI_ADDRCONFIG, max: max)
    }

    private init?(_ host: String, port: UInt16, flags: Int32) {
        guard let first = Self.look(host, port: port, flags: flags, max: 1).first else { return nil }
        self = first
    }

    private static func look(_ host: String, port: UInt16, flags: Int32, max: Int) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_flags = flags | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var next = list
        while let one = next, found.count < max {
            next = one.pointee.ai_next
            if let address = SocketAddress(one.pointee) { found.append(address) }
        }
        return found
    }

    private init?(_ info: addrinfo) {
        let length = Int(info.ai_addrlen)
        var storage = sockaddr_storage()
        guard let address = info.ai_addr, length <= MemoryLayout<sockaddr_storage>.size else { return nil }
        memcpy(&storage, address, length)
        self.storage = storage
        self.length = socklen_t(length)
    }

    package var isIPv6: Bool { Int32(storage.ss_family) == AF_INET6 }

    package var family: Int32 { Int32(storage.ss_family) }

    /// connect(2) to this address: 0, or its `errno`.
    package func connect(_ fd: Int32) -> Int32 {
        var storage = storage
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { CLinux.connect(fd, $0, length) == 0 ? 0 : farwatch_errno() }
        }
    }
}
