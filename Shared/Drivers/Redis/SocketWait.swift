import Glibc

/// Waiting for a connection's socket.
enum SocketWait {
    /// What the socket is ready for, after at most `milliseconds`; 0 when nothing.
    static func events(_ events: Int32, on socket: Int32, milliseconds: Int32) -> Int32 {
        var descriptor = pollfd(fd: socket, events: Int16(events), revents: 0)
        return poll(&descriptor, 1, milliseconds) > 0 ? Int32(descriptor.revents) : 0
    }
}
