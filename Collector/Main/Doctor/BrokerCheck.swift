import Foundation
import MQTTDriver
import Settings

/// Whether the broker takes a connection.
struct BrokerCheck: DoctorCheck {
    let options: MQTTOptions

    func findings() async -> [DoctorFinding] {
        let options = options
        let finding = await withCheckedContinuation { continuation in
            // It waits for the broker.
            let thread = Thread { continuation.resume(returning: BrokerTrial.finding(options)) }
            thread.name = "broker"
            thread.start()
        }
        return [finding, MachineChecks.encryption(options)]
    }
}
