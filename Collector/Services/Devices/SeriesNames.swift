import CacheStores
import DocumentStores
import Telemetry
import TimeSeriesStores

/// The names of a device's series, as the cache or the store has them. They are kept with how many samples the device had: a new series comes with
/// new samples, so that what is kept is never without one that was committed.
struct SeriesNames: Sendable {
    let store: any TimeSeriesStore
    let cache: any Cache

    /// - Parameter samples: how many the device has, read before.
    func names(of id: DeviceId, samples: Int64) async throws -> [String] {
        let key = CacheKey(.series, id.text)
        if let bytes = await cache.get(key), let kept = try? JSONParser.parse(bytes[...]), kept["samples"]?.integer == samples,
            let names = kept["series"]?.array?.compactMap({ $0.text })
        {
            return names
        }
        let names = try await store.series(of: id).map { $0.description }
        let kept: JSONValue = ["samples": .integer(samples), "series": .array(names.map { .string($0) })]
        await cache.set(key, Array(kept.json.utf8))
        return names
    }
}
