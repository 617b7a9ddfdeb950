import Foundation

/// Where the programs under test are, and the real servers.
enum Programs {
    private static let environment = ProcessInfo.processInfo.environment

    /// The build's folder, in which this test bundle lies too.
    private static let buildFolder: String = {
        if let folder = environment["FARWATCH_TEST_BINARIES"] { return folder }
        return URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().path
    }()

    static let collector = buildFolder + "/farwatch-collector"
    static let fleetSimulator = buildFolder + "/farwatch-fleetsim"
    static let operatorCommand = buildFolder + "/farwatch"
    /// `Tests/run` names the Embedded release build here; otherwise the ordinary one of this build.
    static let agent = environment["FARWATCH_TEST_AGENT"] ?? buildFolder + "/farwatch-agent"

    static let mosquitto = find("mosquitto", also: ["/usr/sbin/mosquitto"])
    static let chromium = find("chromium", also: [])
    static let chromeDriver = find("chromedriver", also: [])
    static let promtool = find("promtool", also: [])

    private static func find(_ name: String, also places: [String]) -> String? {
        let folders = (environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":").map { $0 + "/" + name }
        return (folders + places).first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
