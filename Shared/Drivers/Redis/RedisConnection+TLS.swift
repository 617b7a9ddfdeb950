import CHiredis
import Glibc
import LinuxDriver

/// A connection whose bytes are encrypted on their way.
extension RedisConnection {
    private static let receivedMax = 64 * 1024

    /// Before anything else is said; in bounded time.
    func shakeHands() throws(RedisError) {
        guard let tls else { return }
        let until = Clock.system.boot() + max(1, options.connectTimeout.wholeMilliseconds)
        do throws(RedisError) {
            while true {
                let isDone = try tls.shakeHands()
                try sendAll(tls.takeOutgoing(), until)
                if isDone { return }
                try wait(POLLIN, until)
                tls.received(try receive("connect"))
            }
        } catch {
            // What speaks no TLS waits for more, or hangs up.
            let hint = error.reason == .tls ? "" : ", to a greeting by TLS: perhaps it is not spoken there"
            throw RedisError(error.reason, operation: "connect", detail: options.description + ": " + error.detail + hint)
        }
    }

    private func sendAll(_ bytes: [UInt8], _ until: Int64) throws(RedisError) {
        var sent = 0
        while sent < bytes.count {
            try wait(POLLOUT, until)
            sent += try send(bytes, from: sent, "connect")
        }
    }

    private func wait(_ events: Int32, _ until: Int64) throws(RedisError) {
        while SocketWait.events(events, on: context.pointee.fd, milliseconds: Int32(clamping: max(0, until - Clock.system.boot()))) == 0 {
            guard Clock.system.boot() < until else { throw RedisError(.timedOut, operation: "connect", detail: "no answer in time") }
        }
    }

    /// Hands what came to hiredis' reader; how many bytes it was.
    func read(_ operation: String, by tls: TLSChannel) throws(RedisError) -> Int {
        tls.received(try receive(operation))
        let plain = try tls.decrypted(operation)
        guard !plain.isEmpty else { return 0 }
        let code = plain.withUnsafeBytes { redisReaderFeed(context.pointee.reader, $0.bindMemory(to: CChar.self).baseAddress, $0.count) }
        guard code == REDIS_OK else { throw failure(operation) }
        return plain.count
    }

    private func receive(_ operation: String) throws(RedisError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.receivedMax)
        let count = recv(context.pointee.fd, &bytes, bytes.count, 0)
        if count > 0 { return Array(bytes[..<count]) }
        if count < 0, errno == EAGAIN || errno == EINTR { return [] }
        let reason = count == 0 ? "the server ended the connection" : String(cString: strerror(errno))
        throw RedisError(.disconnected, operation: operation, detail: reason)
    }
}
