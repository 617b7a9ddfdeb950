import CHiredis
import Glibc
import LinuxDriver

/// Makes a connection, in bounded time but for the look-up of a name.
enum ConnectionAttempt {
    static func open(_ options: RedisOptions) throws(RedisError) -> UnsafeMutablePointer<redisContext> {
        let made =
            switch options.address {
            case .tcp(let host, let port): redisConnectNonBlock(host, Int32(port))
            case .unix(let path): redisConnectUnixNonBlock(path)
            }
        guard let context = made else { throw RedisError(.failed, operation: "connect", detail: "no memory") }
        do throws(RedisError) {
            // "In case of error … the err field is set": a name that nobody knows, a socket that is not there.
            guard context.pointee.err == 0 else { throw unreachable(options, String(cString: farwatch_error_text(context))) }
            try awaitConnection(context.pointee.fd, options)
        } catch {
            redisFree(context)
            throw error
        }
        return context
    }

    private static func awaitConnection(_ socket: Int32, _ options: RedisOptions) throws(RedisError) {
        let milliseconds = Int32(clamping: max(1, options.connectTimeout.wholeMilliseconds))
        let until = Clock.system.boot() + Int64(milliseconds)
        while SocketWait.events(POLLOUT, on: socket, milliseconds: Int32(clamping: max(0, until - Clock.system.boot()))) == 0 {
            guard Clock.system.boot() < until else { throw unreachable(options, "no answer in \(milliseconds) ms") }
        }
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &length)
        guard code == 0 else { throw unreachable(options, String(cString: strerror(code))) }
    }

    private static func unreachable(_ options: RedisOptions, _ detail: String) -> RedisError {
        RedisError(.unreachable, operation: "connect", detail: options.description + ": " + detail)
    }
}
