import CPostgres
import Glibc
import LinuxDriver

/// A request to cancel what a connection does, on its way. libpq waits for the server to close the connection that brings it, without end where the
/// server stands still: so a thread of its own waits, which ends with the request, and we wait for that thread only so long.
final class CancelRequest {
    private let request: OpaquePointer
    private let over: WakeUp

    private init(_ request: OpaquePointer, _ over: WakeUp) {
        self.request = request
        self.over = over
    }

    /// Sends it for a connection.
    /// - Returns: whether the server has taken it. One that it has not may come later, and hit whatever the connection does then.
    static func send(for connection: OpaquePointer, within milliseconds: Int64) -> Bool {
        // "PQgetCancel … creates a data structure containing the information needed to cancel a command"; it outlives the connection.
        guard let request = PQgetCancel(connection) else { return false }
        guard let over = try? WakeUp() else {
            PQfreeCancel(request)
            return false
        }
        let start = Unmanaged.passRetained(CancelRequest(request, over))
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, { Unmanaged<CancelRequest>.fromOpaque($0!).takeRetainedValue().run() }, start.toOpaque())
        guard code == 0 else {
            start.release()
            PQfreeCancel(request)
            return false
        }
        pthread_detach(thread)
        var descriptor = pollfd(fd: over.fd, events: Int16(POLLIN), revents: 0)
        return poll(&descriptor, 1, Int32(clamping: milliseconds)) == 1
    }

    private func run() -> UnsafeMutableRawPointer? {
        var message = [CChar](repeating: 0, count: 256)
        PQcancel(request, &message, Int32(message.count))
        PQfreeCancel(request)
        over.ring()
        return nil
    }
}
