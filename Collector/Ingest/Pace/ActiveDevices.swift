import Telemetry

/// Which devices sent something in the last minute: among them the pace is shared.
package struct ActiveDevices {
    /// Milliseconds.
    package static let age: Int64 = 60_000
    /// Between two looks for those that are silent, milliseconds.
    private static let pruneInterval: Int64 = 5_000
    /// Devices remembered; beyond it all are forgotten and counted anew.
    private static let devicesMax = 100_000

    private var seenAt: [DeviceId: Int64] = [:]
    private var prunedAt: Int64 = 0

    package init() {}

    package var count: Int { seenAt.count }

    /// - Parameter now: milliseconds of a clock that never steps.
    package mutating func note(_ devices: some Swift.Sequence<DeviceId>, at now: Int64) {
        if seenAt.count >= Self.devicesMax { seenAt.removeAll() }
        for device in devices { seenAt[device] = now }
        guard now - prunedAt >= Self.pruneInterval else { return }
        prunedAt = now
        seenAt = seenAt.filter { now - $0.value <= Self.age }
    }
}
