import Foundation
import Glibc
import MongoFixtures
import ServerFixtures

/// A MongoDB server that speaks of itself as one that is too old, see `Tests/Servers/older-mongo`.
final class OldServer {
    let port = LoopbackPort.free()
    private let process = Process()
    private let input = Pipe()

    init(before node: MongoNode) throws {
        // Other programs that this process starts must not hold it open.
        _ = fcntl(input.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        process.executableURL = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Servers/older-mongo")
        process.arguments = [String(port), String(node.port)]
        process.standardInput = input
        try process.run()
    }

    func end() { try? input.fileHandleForWriting.close() }

    deinit { end() }
}
