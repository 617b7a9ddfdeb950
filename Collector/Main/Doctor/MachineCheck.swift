import LinuxDriver
import MQTTDriver
import Settings

/// The program, the clock and who may read its key and its passwords.
struct MachineCheck: DoctorCheck {
    let broker: MQTTOptions
    let passwordFiles: [String]

    func findings() async -> [DoctorFinding] {
        [MachineChecks.version("farwatch-collector"), MachineChecks.clock(), MachineChecks.secrets(broker)] + passwordFiles.compactMap(Self.finding)
    }

    /// Nothing when all is well; a file that cannot be read was refused with the settings.
    private static func finding(_ file: String) -> DoctorFinding? {
        guard let identity = try? FileIdentity.of(file), identity.isReadableByOthers else { return nil }
        return .advice("permissions", "every user of this machine may read the password in " + file, "chmod 0640 " + file)
    }
}
