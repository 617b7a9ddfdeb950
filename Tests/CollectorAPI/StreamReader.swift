import Glibc
import ServerFixtures
import ServiceSupport

/// A client that reads a response as it comes: a blocking socket on a thread of its own.
actor StreamReader {
    private let executor = ThreadExecutor(name: "stream-reader")
    private var fd: Int32 = -1
    private(set) var text = ""

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    deinit { close(fd) }

    func request(_ path: String, port: Int) -> Bool {
        guard let socket = LoopbackPort.connection(to: port) else { return false }
        fd = socket
        let request = "GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        return write(fd, request, request.utf8.count) == request.utf8.count
    }

    /// What has come when it is enough, or when the stream has ended.
    func read(until isEnough: @Sendable (String) -> Bool) -> String {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while !isEnough(text) {
            let count = Glibc.read(fd, &chunk, chunk.count)
            if count <= 0 { break }
            text += String(decoding: chunk[..<count], as: UTF8.self)
        }
        return text
    }
}
