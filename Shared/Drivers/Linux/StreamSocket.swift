import CLinux

/// A TCP connection for a command that may wait, each wait for a bounded time.
package final class StreamSocket {
    package static let waitMilliseconds: Int32 = 5_000

    package let fd: Int32

    private init(_ fd: Int32) { self.fd = fd }

    deinit { close(fd) }

    package static func connect(to address: SocketAddress) throws(SystemError) -> StreamSocket {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let fd = socket(address.family, kind, Int32(IPPROTO_TCP))
        guard fd >= 0 else { throw .last("socket") }
        let made = StreamSocket(fd)
        var wait = timeval(tv_sec: time_t(waitMilliseconds / 1000), tv_usec: 0)
        // socket(7): SO_SNDTIMEO bounds connect(2) as well as send(2).
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            guard setsockopt(fd, SOL_SOCKET, option, &wait, socklen_t(MemoryLayout<timeval>.size)) == 0 else { throw .last("setsockopt") }
        }
        guard address.connect(fd) == 0 else { throw .last("connect") }
        return made
    }

    package func send(_ bytes: [UInt8]) throws(SystemError) {
        guard CLinux.send(fd, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { throw .last("send") }
    }

    /// What has come, at most so many bytes; none at the end.
    package func receive(max: Int) throws(SystemError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: max)
        let count = recv(fd, &buffer, max, 0)
        guard count >= 0 else { throw .last("receive") }
        return Array(buffer.prefix(count))
    }
}
