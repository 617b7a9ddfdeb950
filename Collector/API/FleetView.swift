import CertificateService
import DeviceService
import LinuxDriver
import Telemetry

/// Devices together with their worst certificates, as lists and the live stream show them.
struct FleetView: Sendable {
    let devices: DeviceService
    let certificates: CertificateService
    let clock: Clock

    /// `[DEVICE, …]` as JSON: all devices or those of the ids, and how many there were.
    func json(of ids: [DeviceId]? = nil) async throws -> (text: String, count: Int) {
        let now = clock.wall()
        let rows = try await devices.rows(of: ids)
        let worst = try await certificates.worst(of: rows.map { $0.device.id }, at: now)
        var writer = JSONWriter()
        writer.array { array in
            for row in rows {
                array.object { $0.deviceMembers(row, worst: worst[row.device.id], at: now) }
            }
        }
        return (writer.text, rows.count)
    }
}
