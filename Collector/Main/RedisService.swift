import Logging
import RedisStores
import ServiceLifecycle

/// The cache on Redis as a service. The log tells when the server is used, and why it is not.
struct RedisService: Service {
    private static let interval: Duration = .seconds(1)

    let cache: RedisCache
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await cache.run() }
                group.addTask { await tell() }
            }
        }
    }

    private func tell() async {
        var told: Bool?
        while (try? await Task.sleep(for: Self.interval)) != nil {
            let isAvailable = cache.isAvailable
            if isAvailable == told { continue }
            told = isAvailable
            logger.log(level: isAvailable ? .info : .warning, "\(isAvailable ? "the cache is on " : "the cache is ")\(cache.description)")
        }
    }
}
