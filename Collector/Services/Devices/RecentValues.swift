import CacheStores
import DocumentStores
import Telemetry
import TimeSeriesStores

/// What a device's newest groups showed: out of the cache, where it has as many and none older than the newest; otherwise out of the store, second by
/// second.
struct RecentValues: Sendable {
    static let countMax = CacheKind.deviceMetrics.elementsMax
    /// How far before the newest the store is asked, first and if that is too little.
    private static let spans: [Int64] = [600_000, 10_000_000]
    private static let step: Int64 = 1_000

    let store: any TimeSeriesStore
    let cache: any Cache

    func values(of id: DeviceId, upTo latest: LatestValues) async throws -> [LatestValues] {
        let kept = await cache.recent(.deviceMetrics(id.text)).compactMap { bytes in
            (try? JSONParser.parse(bytes[...])).flatMap(LatestValues.init(cached:))
        }
        if kept.count >= Self.countMax, kept.map({ $0.at }).max() == latest.at { return kept.sorted { $0.at > $1.at } }
        var found: [LatestValues] = []
        for span in Self.spans where found.count < Self.countMax { found = try await stored(of: id, upTo: latest.at, span) }
        return found
    }

    private func stored(of id: DeviceId, upTo end: Int64, _ span: Int64) async throws -> [LatestValues] {
        let found = try await store.range(
            RangeQuery(device: id, from: max(0, end - span), to: end, step: Self.step, metrics: Set(LatestValues.metrics)))
        var readings: [Int64: [Reading]] = [:]
        for series in found { for point in series.points { readings[point.at, default: []].append(Reading(series.series, point.mean)) } }
        return readings.keys.sorted().suffix(Self.countMax).reversed().map { at in
            // The last step is the newest tick's.
            LatestValues(Tick(at: at + Self.step > end ? end : at, readings: readings[at] ?? []))
        }
    }
}
