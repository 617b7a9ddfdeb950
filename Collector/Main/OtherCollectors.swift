import CollectorIngest
import DeviceService
import Logging
import ServiceLifecycle
import Telemetry
import TimeSeriesStores

/// Follows what other collectors write into the same store, so that what this one shows of a device is not older than what they know.
struct OtherCollectors: Service {
    private static let interval: Duration = .seconds(1)

    let store: any TimeSeriesStore
    let devices: DeviceService
    let changes: LiveChanges
    let logger: Logger

    /// Rounds after which what a device's document says of it has been written too.
    private static let roundsToWritten = Int(DeviceService.seenInterval / 1_000) + 1

    func run() async throws {
        var recent = [Set<DeviceId>](repeating: [], count: Self.roundsToWritten)
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            do {
                let changed = try await store.devicesChangedByOthers()
                if !changed.isEmpty { await devices.changedByOthers(changed) }
                let told = changed.union(recent.removeFirst())
                recent.append(changed)
                if !told.isEmpty { changes.mark(told) }
            } catch {
                logger.debug("could not look for what other collectors wrote", metadata: ["error": "\(error)"])
            }
            _ = try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.interval) }
        }
    }
}
