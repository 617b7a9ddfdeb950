import Glibc
import LinuxDriver

/// Waiting for a connection's socket, or for somebody who rings.
enum SocketWait {
    /// Whether the socket is ready (or broken, which reading will tell), after at most `milliseconds`; -1 waits without end.
    static func isReady(_ socket: Int32, _ events: Int32, wakeUp: WakeUp, milliseconds: Int32) -> Bool {
        var descriptors = (pollfd(fd: socket, events: Int16(events), revents: 0), pollfd(fd: wakeUp.fd, events: Int16(POLLIN), revents: 0))
        withUnsafeMutableBytes(of: &descriptors) { _ = poll($0.baseAddress!.assumingMemoryBound(to: pollfd.self), 2, milliseconds) }
        if descriptors.1.revents != 0 { wakeUp.silence() }
        return descriptors.0.revents != 0
    }
}
