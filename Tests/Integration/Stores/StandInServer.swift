import Foundation
import Glibc
import MongoFixtures
import ServerFixtures

/// What stands before a MongoDB server and has it speak of itself as another one: a script of `Tests/Servers`.
final class StandInServer {
    let port = LoopbackPort.free()
    private let process = Process()
    private let input = Pipe()

    /// - Parameters:
    ///   - script: `older-mongo` or `sharded-mongo`.
    ///   - more: its other arguments.
    init(_ script: String, before node: MongoNode, _ more: String...) throws {
        // Other programs that this process starts must not hold it open.
        _ = fcntl(input.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        process.executableURL = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Servers/" + script)
        process.arguments = [String(port), String(node.port)] + more
        process.standardInput = input
        try process.run()
    }

    func end() { try? input.fileHandleForWriting.close() }

    deinit { end() }
}
