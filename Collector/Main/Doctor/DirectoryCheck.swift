import LinuxDriver
import Settings

/// The data directory: whether it is there and has room.
struct DirectoryCheck: DoctorCheck {
    /// A day of a large fleet's documents and events.
    static let bytesLeastAdvised: Double = 1_073_741_824
    /// Less, and SQLite may not find room for its log.
    static let bytesLeast: Double = 134_217_728

    private static let subject = "data directory"

    let directory: String

    func findings() async -> [DoctorFinding] {
        guard SmallFile.exists(directory) else {
            return [.ok(Self.subject, directory + " is not there yet; serve makes it")]
        }
        guard SmallFile.isDirectory(directory), let space = FileSystemSpace.ofDirectory(Array(directory.utf8)) else {
            return [.problem(Self.subject, directory + " is no directory that can be read", "set data.directory to one")]
        }
        return [Self.finding(directory, room: space.available)]
    }

    static func finding(_ directory: String, room: Double) -> DoctorFinding {
        let detail = "\(directory) has room for \(Amount.bytes(room))"
        if room < bytesLeast { return .problem(subject, detail, "make room, or set data.directory to a larger disk") }
        if room < bytesLeastAdvised { return .advice(subject, detail, "make room before it is full") }
        return .ok(subject, detail)
    }
}
