import CertificateService
import DeviceService
import LinuxDriver
import Telemetry

/// Devices together with their worst certificates, as lists and the live stream show them.
struct FleetView: Sendable {
    let devices: DeviceService
    let certificates: CertificateService
    let clock: Clock
    private let written = WrittenRows()

    init(devices: DeviceService, certificates: CertificateService, clock: Clock) {
        self.devices = devices
        self.certificates = certificates
        self.clock = clock
    }

    /// `[DEVICE, …]` as JSON: all devices or those of the ids, and how many there were.
    func json(of ids: [DeviceId]? = nil) async throws -> (text: String, count: Int) {
        let now = clock.wall()
        let rows = try await devices.rows(of: ids)
        let worst = try await certificates.worst(of: rows.map { $0.device.id }, at: now)
        let shown = rows.map { WrittenRows.Row($0, worst: worst[$0.device.id], at: now) }
        var writer = JSONWriter()
        writer.array { array in
            // Most devices of the whole fleet say what they said the last time.
            let texts = ids == nil ? written.texts(of: shown, at: now) : shown.map { $0.text(at: now) }
            for text in texts { array.raw(nil, text) }
        }
        return (writer.text, rows.count)
    }
}
