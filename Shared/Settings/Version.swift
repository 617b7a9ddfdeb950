/// The version of all of Farwatch's programs.
package enum FarwatchVersion {
    package static let text = "0.2.0"
}

/// Exit codes of all programs, those of sysexits(3) and systemd.exec(5).
package enum ExitCode {
    package static let ok: Int32 = 0
    package static let failure: Int32 = 1
    /// `farwatch-agent status` when the agent does not run: systemctl's own.
    package static let notRunning: Int32 = 3
    /// The command line was wrong.
    package static let usage: Int32 = 64
    /// A service that is needed is not there.
    package static let unavailable: Int32 = 69
    /// A file or a directory cannot be written.
    package static let cannotCreate: Int32 = 73
    /// What was to be written could not be written to its end.
    package static let cannotWrite: Int32 = 74
    /// What was asked for must not be read by this user.
    package static let noPermission: Int32 = 77
    /// The configuration is wrong.
    package static let configuration: Int32 = 78
    /// A signal ended it before it was done: what a shell reports for one that a signal killed.
    package static func interrupted(by signal: Int32) -> Int32 { 128 + signal }
}
