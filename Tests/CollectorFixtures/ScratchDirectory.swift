import Foundation

/// A directory of a test's own that is gone when the test is.
package final class ScratchDirectory: Sendable {
    package let path: String

    package init() {
        path = FileManager.default.temporaryDirectory.path + "/farwatch-test-" + UUID().uuidString
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    package func write(_ name: String, _ bytes: [UInt8]) {
        precondition(FileManager.default.createFile(atPath: path + "/" + name, contents: Data(bytes)), "a scratch file can be written")
    }
}
