import CollectorIngest
import DeviceService
import ServiceLifecycle

/// Has the registry write when devices were last seen, every few seconds and once more at the end.
struct LastSeenWriter: Service {
    let devices: DeviceService
    let changes: LiveChanges

    func run() async throws {
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            _ = try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .milliseconds(DeviceService.seenInterval)) }
            let written = await devices.writeSeen()
            if !written.isEmpty { changes.mark(written) }
        }
    }
}
