import Synchronization
import Telemetry

/// Which devices have changed, for views that follow the fleet. A view remembers the number up to which it has seen, and asks from there; so a slow
/// or absent one costs nothing, and what is kept is bounded by the number of devices.
package final class LiveChanges: Sendable {
    private struct State {
        var number: UInt64 = 0
        var changedAt: [DeviceId: UInt64] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    package func mark(_ devices: some Swift.Sequence<DeviceId>) {
        state.withLock { state in
            state.number += 1
            for device in devices { state.changedAt[device] = state.number }
        }
    }

    /// The number of the last change.
    package var number: UInt64 { state.withLock { $0.number } }

    /// Devices that changed after `number`, and the number to ask with next.
    package func devices(after number: UInt64) -> (devices: [DeviceId], number: UInt64) {
        state.withLock { state in
            guard state.number > number else { return ([], state.number) }
            return (state.changedAt.filter { $0.value > number }.keys.sorted(), state.number)
        }
    }
}
