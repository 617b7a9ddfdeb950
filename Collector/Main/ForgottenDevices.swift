import CollectorIngest
import DeviceService
import LinuxDriver
import Logging
import ServiceLifecycle

/// Looks every minute whether there are devices that the time-series store knows and the registry does not, and has them put back.
struct ForgottenDevices: Service {
    private static let interval: Duration = .seconds(60)

    let devices: DeviceService
    let changes: LiveChanges
    let logger: Logger

    func run() async throws {
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            do {
                let restored = try await devices.restoreForgotten(at: Clock.system.wall())
                if !restored.isEmpty {
                    logger.warning("devices were missing from the registry and are back", metadata: ["devices": "\(restored.count)"])
                    changes.mark(restored)
                }
            } catch { logger.debug("could not look for missing devices", metadata: ["error": "\(error)"]) }
            _ = try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.interval) }
        }
    }
}
