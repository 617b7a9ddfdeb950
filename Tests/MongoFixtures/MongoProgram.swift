import Foundation

/// The program `mongod`, and where tests get it.
package enum MongoProgram {
    /// Why there is none; nil when there is.
    package static var missing: String? { found.missing }

    static var path: String? { found.path }

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Servers").path

    private static let found: (path: String?, missing: String?) = {
        let process = Process()
        process.executableURL = URL(filePath: folder + "/mongo-fetch")
        let output = Pipe()
        let errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        do { try process.run() } catch { return (nil, "Tests/Servers/mongo-fetch: \(error)") }
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let complaint = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            return (nil, complaint.split(whereSeparator: \.isNewline).last.map(String.init) ?? "Tests/Servers/mongo-fetch failed")
        }
        return (said.trimmingCharacters(in: .whitespacesAndNewlines), nil)
    }()
}
