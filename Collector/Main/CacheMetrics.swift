import CacheStores
import ServiceSupport

/// How much the cache is of use, whatever its make.
enum CacheMetrics {
    static func register(_ cache: any Cache, in registry: MetricsRegistry) {
        registry.counter("farwatch_cache_hits_total", "Values that were asked for and there.") { Double(cache.counts.hits) }
        registry.counter("farwatch_cache_misses_total", "Values that were asked for and not there.") { Double(cache.counts.misses) }
    }
}
