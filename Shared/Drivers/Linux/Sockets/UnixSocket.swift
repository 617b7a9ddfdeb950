import CLinux

/// Unix-domain sockets: the service manager's, and the agent's own for `status`.
package enum UnixSocket {
    /// The path's length at most: `sun_path` of unix(7), its final zero byte left out.
    package static let pathBytesMax = 107

    /// An address; a path that begins with `@` is in the abstract namespace.
    private static func address(_ path: String) throws(SystemError) -> (sockaddr_un, socklen_t) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(path.utf8)
        guard bytes.count <= pathBytesMax, !bytes.isEmpty else { throw SystemError(code: ENAMETOOLONG, operation: "use socket", subject: path) }
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return (address, socklen_t(MemoryLayout<sa_family_t>.size + bytes.count))
    }

    /// Sends one datagram; whether it went.
    package static func sendDatagram(_ text: String, to path: String) -> Bool {
        guard let (named, length) = try? address(path) else { return false }
        var address = named
        let fd = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { return false }
        defer { close(fd) }
        let bytes = Array(text.utf8)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { sendto(fd, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length) }
        } == bytes.count
    }

    /// A listening socket, non-blocking. One that a dead process left behind is replaced.
    package static func listen(_ path: String) throws(SystemError) -> Int32 {
        let (named, length) = try address(path)
        var address = named
        let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard fd >= 0 else { throw .last("make a socket", path) }
        guard !isAnswered(path) else {
            close(fd)
            throw SystemError(code: EADDRINUSE, operation: "listen", subject: path)
        }
        unlink(path)
        let bound = withUnsafePointer(to: &address) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(fd, $0, length) } }
        guard bound == 0, CLinux.listen(fd, 8) == 0 else {
            let error = SystemError.last("listen", path)
            close(fd)
            throw error
        }
        return fd
    }

    /// Whether somebody listens there now, if one that stands still.
    private static func isAnswered(_ path: String) -> Bool {
        do throws(SystemError) { return try ask(path, limit: 1) != nil } catch { return error.isTimedOut }
    }

    /// Takes one waiting connection, writes the text to it, and closes it. A text of a few kilobytes fits the socket's buffer.
    package static func answer(_ listener: Int32, with text: String) {
        let fd = farwatch_accept(listener)
        guard fd >= 0 else { return }
        let bytes = Array(text.utf8)
        _ = send(fd, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        close(fd)
    }

    /// Seconds that somebody who listens has to take the connection, and then to answer.
    private static let answerSeconds: Int32 = 3

    /// All that a listener answers, at most `limit` bytes; nil when nobody listens. That this user must not ask is an error, and that no answer comes.
    package static func ask(_ path: String, limit: Int = 64 * 1024) throws(SystemError) -> [UInt8]? {
        guard let (named, length) = try? address(path) else { return nil }
        var address = named
        let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { return nil }
        defer { close(fd) }
        _ = farwatch_wait_within(fd, answerSeconds)
        let connected = withUnsafePointer(to: &address) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(fd, $0, length) } }
        guard connected == 0 else {
            let error = SystemError.last("ask", path)
            // unix(7): "Write permission is required" on the socket, and search permission on the folders that lead to it.
            if error.isPermission { throw error }
            // Others wait already for one that stands still.
            if error.code == EAGAIN { throw SystemError(code: ETIMEDOUT, operation: "ask", subject: path) }
            return nil
        }
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while answer.count < limit {
            let count = recv(fd, &chunk, chunk.count, 0)
            if count < 0, farwatch_errno() == EAGAIN { throw SystemError(code: ETIMEDOUT, operation: "ask", subject: path) }
            guard count > 0 else { break }
            answer += chunk[0..<count]
        }
        return answer.isEmpty ? nil : answer
    }

    package static func remove(_ path: String, _ fd: Int32) {
        close(fd)
        unlink(path)
    }
}
