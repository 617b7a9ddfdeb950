import CLinux

/// A TCP connection for whoever may wait, for a bounded time: each wait, and all of them together, so that a peer that sends a byte now and then
/// holds nobody up.
package final class StreamSocket {
    package static let waitMilliseconds: Int64 = 5_000
    /// From the connecting to the end.
    package static let sessionMilliseconds: Int64 = 15_000

    package let fd: Int32
    private let deadline: Int64

    private init(_ fd: Int32, until deadline: Int64) {
        self.fd = fd
        self.deadline = deadline
    }

    deinit { close(fd) }

    /// To the first of these that takes it; the last one's error when none does.
    package static func connect(toFirstOf addresses: [SocketAddress]) throws(SystemError) -> StreamSocket {
        let deadline = Clock.system.boot() + sessionMilliseconds
        var failure = SystemError(code: EHOSTUNREACH, operation: "connect")
        for address in addresses {
            do throws(SystemError) { return try connect(to: address, until: deadline) } catch { failure = error }
        }
        throw failure
    }

    private static func connect(to address: SocketAddress, until deadline: Int64) throws(SystemError) -> StreamSocket {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let fd = socket(address.family, kind, Int32(IPPROTO_TCP))
        guard fd >= 0 else { throw .last("socket") }
        let made = StreamSocket(fd, until: deadline)
        let code = address.connect(fd)
        if code == 0 { return made }
        guard code == EINPROGRESS else { throw SystemError(code: code, operation: "connect") }
        guard made.waits(forWriting: true) else { throw SystemError(code: ETIMEDOUT, operation: "connect") }
        var error: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 else { throw .last("connect") }
        guard error == 0 else { throw SystemError(code: error, operation: "connect") }
        return made
    }

    /// Waits until there is something to read, or room to write; false when its time is over.
    package func waits(forWriting: Bool) -> Bool {
        var one = pollfd(fd: fd, events: Int16(forWriting ? POLLOUT : POLLIN), revents: 0)
        while true {
            let wait = min(Self.waitMilliseconds, deadline - Clock.system.boot())
            guard wait > 0 else { return false }
            let count = poll(&one, 1, Int32(wait))
            if count >= 0 { return count > 0 }
            guard farwatch_errno() == EINTR else { return false }
        }
    }

    package func send(_ bytes: [UInt8]) throws(SystemError) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { CLinux.send(fd, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL)) }
            if count > 0 {
                sent += count
                continue
            }
            try wait(forWriting: true, "send")
        }
    }

    /// What has come, at most so many bytes; none at the end.
    package func receive(max: Int) throws(SystemError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: max)
        while true {
            let count = recv(fd, &buffer, max, 0)
            if count >= 0 { return Array(buffer.prefix(count)) }
            try wait(forWriting: false, "receive")
        }
    }

    /// After a call that did nothing: waits if that was why.
    private func wait(forWriting: Bool, _ operation: String) throws(SystemError) {
        let code = farwatch_errno()
        guard code == EAGAIN || code == EINTR else { throw SystemError(code: code, operation: operation) }
        guard waits(forWriting: forWriting) else { throw SystemError(code: ETIMEDOUT, operation: operation) }
    }
}
