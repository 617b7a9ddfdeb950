import CollectorIngest
import DeviceService
import Logging
import ServiceLifecycle
import TimeSeriesStores

/// Follows what other collectors write into the same store, so that what this one shows of a device is not older than what they know.
struct OtherCollectors: Service {
    private static let interval: Duration = .seconds(1)

    let store: any TimeSeriesStore
    let devices: DeviceService
    let changes: LiveChanges
    let logger: Logger

    func run() async throws {
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            do {
                let changed = try await store.devicesChangedByOthers()
                if !changed.isEmpty {
                    await devices.changedByOthers(changed)
                    changes.mark(changed)
                }
            } catch {
                logger.debug("could not look for what other collectors wrote", metadata: ["error": "\(error)"])
            }
            _ = try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.interval) }
        }
    }
}
