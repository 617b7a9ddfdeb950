import Telemetry

/// Lets a device be told that a message was unreadable at most once in an interval: a flood of noise must not become two.
package struct NoticeLimiter {
    /// Milliseconds between two notices to a device.
    package static let interval: Int64 = 1_000
    /// Devices remembered; beyond it all are forgotten and may be told once more.
    package static let devicesMax = 10_000

    private var toldAt: [DeviceId: Int64] = [:]

    package init() {}

    /// Whether the device may be told at `now` (milliseconds of a clock that never steps); if so, it counts as told.
    package mutating func mayTell(_ device: DeviceId, at now: Int64) -> Bool {
        if let last = toldAt[device], now - last < Self.interval { return false }
        if toldAt.count >= Self.devicesMax { toldAt.removeAll() }
        toldAt[device] = now
        return true
    }
}
