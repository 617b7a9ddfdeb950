import Glibc
import ServiceSupport

/// A client that reads a response as it comes: a blocking socket on a thread of its own.
actor StreamReader {
    private let executor = ThreadExecutor(name: "stream-reader")
    private var fd: Int32 = -1
    private(set) var text = ""

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    deinit { close(fd) }

    func request(_ path: String, port: Int) -> Bool {
        fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        let request = "GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        return code == 0 && write(fd, request, request.utf8.count) == request.utf8.count
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
