import LinuxDriver
import MQTTDriver
import Settings

/// The program, the clock and who may read its key and its passwords.
struct MachineCheck: DoctorCheck {
    let broker: MQTTOptions
    let passwordFiles: [String]

    func findings() async -> [DoctorFinding] {
        [MachineChecks.version("farwatch-collector"), MachineChecks.clock(), MachineChecks.secrets(broker)]
            + passwordFiles.compactMap(MachineChecks.passwordFile)
    }
}
