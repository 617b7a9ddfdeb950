import Glibc

/// A server of a test's own on 127.0.0.1: whoever connects gets a thread, for which nobody waits. Ends with the process, or when it is closed.
package final class LoopbackListener: Sendable {
    package let port: Int
    private let listener: Int32

    /// `serve` has a blocking socket to a client, which is closed when it returns.
    package init(_ serve: @escaping @Sendable (_ client: Int32) -> Void) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        port = LoopbackPort.bind(listener)
        listen(listener, 16)
        Self.thread {
            while case let client = accept(listener, nil, nil), client >= 0 {
                Self.thread {
                    serve(client)
                    Glibc.close(client)
                }
            }
            Glibc.close(listener)
        }
    }

    /// Nobody is let in any more.
    package func close() { shutdown(listener, Int32(SHUT_RDWR)) }

    private static func thread(_ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(Box(body))
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            {
                Unmanaged<Box>.fromOpaque($0!).takeRetainedValue().body()
                return nil
            }, box.toOpaque())
        pthread_detach(thread)
    }

    private final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
