import MQTTDriver
import Settings

/// The program, the clock and who may read its key.
struct MachineCheck: DoctorCheck {
    let broker: MQTTOptions

    func findings() async -> [DoctorFinding] { [MachineChecks.version("farwatch-collector"), MachineChecks.clock(), MachineChecks.secrets(broker)] }
}
