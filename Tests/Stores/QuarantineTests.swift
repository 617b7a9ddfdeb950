import CollectorFixtures
import Telemetry
import Testing
import TimeSeriesStores

/// Quarantine, the same in every make.
@Suite struct QuarantineTests {
    private let scratch = ScratchDirectory()
    private let device = SampleBatches.device()

    @Test(arguments: TimeSeriesMake.all)
    func `it keeps the newest within its bounds`(make: TimeSeriesMake) async throws {
        let store = try make.open(scratch)
        let items = (0..<Int64(TimeSeriesLimits.quarantineRowsMax + 20)).map { QuarantinedItem(device: device, reason: "r", at: $0, bytes: [1]) }
        try await store.quarantine(items)
        let kept = try await all(store)
        #expect(kept.count == TimeSeriesLimits.quarantineRowsMax)
        #expect(kept.first?.at == items.last?.at && kept.last?.at == 20)
        let large = QuarantinedItem(device: device, reason: "large", at: 9, bytes: [UInt8](repeating: 7, count: 60_000))
        try await store.quarantine([QuarantinedItem](repeating: large, count: 400))
        let bytes = try await all(store).reduce(0) { $0 + $1.bytes.count }
        #expect(bytes <= TimeSeriesLimits.quarantineBytesMax && bytes > TimeSeriesLimits.quarantineBytesMax - 120_000)
    }

    private func all(_ store: any TimeSeriesStore) async throws -> [QuarantinedItem] {
        var items: [QuarantinedItem] = []
        while true {
            let page = try await store.quarantined(QuarantineQuery(before: items.last?.id))
            if page.isEmpty { return items }
            items += page
        }
    }

    @Test(arguments: TimeSeriesMake.all)
    func `it is listed by device and by the reason's name`(make: TimeSeriesMake) async throws {
        let store = try make.open(scratch)
        let other = SampleBatches.device("edge-2")
        try await store.quarantine([
            QuarantinedItem(device: device, reason: "too_late: a", at: 1, bytes: [1]),
            QuarantinedItem(device: other, reason: "too_late", at: 2, bytes: [2]),
            QuarantinedItem(device: device, reason: "too_late_for_this: c", at: 3, bytes: [3]),
        ])
        func times(_ query: QuarantineQuery) async throws -> [Int64] { try await store.quarantined(query).map { $0.at } }
        #expect(try await times(QuarantineQuery()) == [3, 2, 1])
        #expect(try await times(QuarantineQuery(reason: "too_late")) == [2, 1])
        #expect(try await times(QuarantineQuery(device: device, reason: "too_late")) == [1])
        #expect(try await times(QuarantineQuery(limit: 2)) == [3, 2])
    }

    @Test(arguments: TimeSeriesMake.all)
    func `an item is found, given another reason and removed by its id`(make: TimeSeriesMake) async throws {
        let store = try make.open(scratch)
        let place = QuarantinedItem.Place(stream: .max, sequences: 4...9)
        try await store.quarantine([QuarantinedItem(device: device, reason: "x", at: 7, place: place, bytes: [1, 2])])
        let id = try #require(try await store.quarantined(QuarantineQuery()).first?.id)
        try await store.setQuarantineReason(of: id, "y: z")
        let item = try #require(try await store.quarantined(id: id))
        #expect(item == QuarantinedItem(id: id, device: device, reason: "y: z", at: 7, place: place, bytes: [1, 2]))
        #expect(try await store.removeQuarantined(id: id))
        #expect(try await store.removeQuarantined(id: id) == false)
        #expect(try await store.quarantined(id: id) == nil)
    }
}
