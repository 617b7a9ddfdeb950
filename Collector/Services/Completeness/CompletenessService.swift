import DeviceService
import LinuxDriver
import ServiceSupport
import Telemetry
import TimeSeriesStores

/// Says what became of a device's samples, and of a fleet's.
package struct CompletenessService: Sendable {
    private let store: any TimeSeriesStore
    private let devices: DeviceService
    private let clock: Clock

    package init(store: any TimeSeriesStore, devices: DeviceService, clock: Clock = .system) {
        self.store = store
        self.devices = devices
        self.clock = clock
    }

    /// Nil when nobody knows the device.
    /// - Parameter range: UTC, milliseconds since 1970; cut off at the present.
    package func completeness(of device: DeviceId, in range: Range<Int64>) async throws -> Completeness? {
        guard try await devices.exists(device) else { return nil }
        return try await answer(device, range)
    }

    /// One device of a fleet; why not, where it has more batches in the range than are looked through at once.
    package typealias FleetMember = (device: DeviceId, completeness: Result<Completeness, StoreError>)

    /// Devices in the order of their ids, from the one after `after` on.
    package func fleet(in range: Range<Int64>, after: DeviceId?, limit: Int) async throws -> [FleetMember] {
        var found: [FleetMember] = []
        for device in try await devices.ids(after: after, limit: limit) {
            do {
                found.append((device, .success(try await answer(device, range))))
            } catch let error as StoreError where error.reason == .tooMuch {
                found.append((device, .failure(error)))
            }
            try Task.checkCancellation()
        }
        return found
    }

    private func answer(_ device: DeviceId, _ range: Range<Int64>) async throws -> Completeness {
        let coverage = try await store.coverage(of: device, from: range.lowerBound, to: range.upperBound)
        return CompletenessQuestion(
            coverage: coverage, range: range, now: clock.wall(), isOnline: await devices.isOnline(device),
            lastSeen: try await devices.lastSeen(of: device)
        ).answer()
    }
}
