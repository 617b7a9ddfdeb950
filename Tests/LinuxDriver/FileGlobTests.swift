import Foundation
import LinuxDriver
import Testing

@Suite struct FileGlobTests {
    @Test func `a pattern stands for what there is, in order, and for nothing hidden`() throws {
        let root = FileManager.default.temporaryDirectory.path + "/farwatch-glob-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: root) }
        for path in ["a/1.pem", "a/2.pem", "b/3.pem", "b/.4.pem", "b/5.key", "c", "odd[1].pem"] {
            let file = URL(filePath: root + "/" + path)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data().write(to: file)
        }
        let found = { (pattern: String) in FileGlob.paths(root + pattern).map { String($0.dropFirst(root.count)) } }
        #expect(found("/*/*.pem") == ["/a/1.pem", "/a/2.pem", "/b/3.pem"])
        #expect(found("/[ab]/?.pem") == ["/a/1.pem", "/a/2.pem", "/b/3.pem"])
        #expect(found("/b/.*.pem") == ["/b/.4.pem"])
        #expect(found("/c/*") == [] && found("/*/none") == [])
        // What is there as it stands is no pattern, and neither is what has no wildcard.
        #expect(found("/odd[1].pem") == ["/odd[1].pem"] && found("/missing") == ["/missing"])
        #expect(found("/" + String(repeating: "*", count: FileGlob.wildcardsMax + 1)) == [])
    }
}
