import LinuxDriver
import ServiceLifecycle

/// Tells systemd that the collector still does its work, and when it begins to stop. It is among the last to start, so that it is the first to hear.
struct SignsOfLife: Service {
    let manager: ServiceManager

    func run() async throws {
        let interval = manager.watchdogInterval.map { Duration.milliseconds($0) }
        await cancelWhenGracefulShutdown {
            // A task like those that take batches in: where none of them comes to run any more, this does not either.
            while !Task.isCancelled {
                if interval != nil { manager.alive() }
                try? await Task.sleep(for: interval ?? .seconds(3_600))
            }
        }
        manager.stopping()
    }
}
