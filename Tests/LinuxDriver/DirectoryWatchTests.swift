import Foundation
import LinuxDriver
import Testing

@Suite struct DirectoryWatchTests {
    @Test func `a file that is made, written, renamed or removed is noticed; one that is read is not`() throws {
        let root = FileManager.default.temporaryDirectory.path + "/farwatch-watch-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: root) }
        let watch = try DirectoryWatch()
        #expect(watch.add(root) && !watch.add(root + "/none") && !watch.drain())
        try Data([1]).write(to: URL(filePath: root + "/a"))
        #expect(watch.drain() && !watch.drain())
        _ = try Data(contentsOf: URL(filePath: root + "/a"))
        #expect(!watch.drain())
        try FileManager.default.moveItem(atPath: root + "/a", toPath: root + "/b")
        #expect(watch.drain())
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: root + "/b")
        #expect(watch.drain())
        try FileManager.default.removeItem(atPath: root + "/b")
        #expect(watch.drain())
    }
}
