import CLinux

/// The socket of one probe: never waits, closed with its owner.
package final class ProbeSocket {
    /// How a probe's socket could not be had.
    package enum Failure: Error {
        /// The kernel does not let us: of ICMP, because our group is not in `net.ipv4.ping_group_range` (icmp(7)).
        case refused
        case unreachable
    }

    /// What has come of a probe when its descriptor is ready.
    package enum Progress {
        case pending, answered, failed
    }

    package let fd: Int32
    /// The request that was sent; nil for a handshake.
    private var echo: EchoMessage?

    private init(_ fd: Int32) { self.fd = fd }

    deinit { close(fd) }

    /// Begins a TCP handshake.
    package static func tcp(_ address: SocketAddress) throws(Failure) -> ProbeSocket {
        let socket = try make(address, SOCK_STREAM, Int32(IPPROTO_TCP))
        // connect(2), EINPROGRESS: "It is possible to select(2) or poll(2) for completion by selecting the socket for writing."
        let code = address.connect(socket.fd)
        guard code == 0 || code == EINPROGRESS || code == EINTR else { throw .unreachable }
        return socket
    }

    /// Sends an ICMP echo request. icmp(7): such a socket needs no privilege, the kernel fills in identifier and checksum and
    /// gives us nothing but the answers to it.
    package static func icmp(_ address: SocketAddress, sequence: UInt16) throws(Failure) -> ProbeSocket {
        let socket = try make(address, SOCK_DGRAM, Int32(address.isIPv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
        guard address.connect(socket.fd) == 0 else { throw .unreachable }
        let echo = EchoMessage(isIPv6: address.isIPv6, sequence: sequence)
        let request = echo.request
        guard send(socket.fd, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else { throw .unreachable }
        socket.echo = echo
        return socket
    }

    private static func make(_ address: SocketAddress, _ type: __socket_type, _ ipProtocol: Int32) throws(Failure) -> ProbeSocket {
        let kind = Int32(type.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let fd = socket(address.family, kind, ipProtocol)
        if fd >= 0 { return ProbeSocket(fd) }
        switch farwatch_errno() {
        case EACCES, EPERM, EPROTONOSUPPORT: throw .refused
        default: throw .unreachable
        }
    }

    /// Asks the kernel what has come of the probe; without waiting.
    package func progress() -> Progress {
        if let echo { return progress(of: echo) }
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &length) == 0, code == 0 else { return .failed }
        return isConnected ? .answered : .pending
    }

    private var isConnected: Bool {
        var peer = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &peer) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(fd, $0, &length) == 0 }
        }
    }

    /// Whether the answer to our request has come; other answers are passed over.
    private func progress(of echo: EchoMessage) -> Progress {
        var message = [UInt8](repeating: 0, count: EchoMessage.bytesMax)
        // A flood of foreign answers must not keep us here; what is left is read at the next turn.
        for _ in 0..<EchoMessage.readMax {
            let count = recv(fd, &message, message.count, 0)
            if count < 0 {
                let code = farwatch_errno()
                return code == EAGAIN || code == EINTR ? .pending : .failed
            }
            if echo.isAnswered(by: message.span.extracting(0..<count)) { return .answered }
        }
        return .pending
    }
}
