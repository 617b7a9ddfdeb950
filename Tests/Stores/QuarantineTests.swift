import CollectorFixtures
import Telemetry
import Testing
import TimeSeriesStores

/// Quarantine, the same in every make.
@Suite(.serialized) struct QuarantineTests {
    private let scratch = ScratchDirectory()
    private let device = SampleBatches.device()

    private func item(_ at: Int64, of device: Int, bytes: Int = 1) -> QuarantinedItem {
        QuarantinedItem(
            device: SampleBatches.device("edge-\(device)"), reason: "r", at: at, bytes: [UInt8](repeating: 7, count: bytes))
    }

    @Test(arguments: TimeSeriesMake.all)
    func `it keeps the newest within its bounds`(make: TimeSeriesMake) async throws {
        let store = try await make.open(scratch)
        let items = (0..<Int64(TimeSeriesLimits.quarantineRowsMax + 20)).map { item($0, of: Int($0) % 50) }
        try await store.quarantine(items)
        let kept = try await all(store)
        #expect(kept.count == TimeSeriesLimits.quarantineRowsMax)
        #expect(kept.first?.at == items.last?.at && kept.last?.at == 20)
        try await store.quarantine((0..<400).map { item(9, of: Int($0) % 50, bytes: 60_000) })
        let bytes = try await all(store).reduce(0) { $0 + $1.bytes.count }
        #expect(bytes <= TimeSeriesLimits.quarantineBytesMax && bytes > TimeSeriesLimits.quarantineBytesMax - 120_000)
    }

    @Test(arguments: TimeSeriesMake.all)
    func `no device pushes out what others have there`(make: TimeSeriesMake) async throws {
        let store = try await make.open(scratch)
        try await store.quarantine([item(1, of: 2)])
        for round in 0..<3 { try await store.quarantine((0..<500).map { item(Int64(round * 500 + $0), of: 1) }) }
        #expect(try await store.quarantined(QuarantineQuery(device: SampleBatches.device("edge-2"))).map { $0.at } == [1])
        let flood = try await all(store).filter { $0.device == device }
        #expect(flood.count == TimeSeriesLimits.quarantineRowsPerDeviceMax && flood.first?.at == 1_499)
        try await store.quarantine([QuarantinedItem](repeating: item(7, of: 1, bytes: 60_000), count: 90))
        let bytes = try await all(store).filter { $0.device == device }.reduce(0) { $0 + $1.bytes.count }
        #expect(bytes <= TimeSeriesLimits.quarantineBytesPerDeviceMax && bytes > TimeSeriesLimits.quarantineBytesPerDeviceMax - 60_000)
        #expect(try await store.quarantined(QuarantineQuery(device: SampleBatches.device("edge-2"))).count == 1)
    }

    @Test(arguments: TimeSeriesMake.all)
    func `what is no batch goes before what is one, and it is told how many went`(make: TimeSeriesMake) async throws {
        let store = try await make.open(scratch)
        let place = QuarantinedItem.Place(stream: 1, sequences: 5...5)
        let batch = QuarantinedItem(device: SampleBatches.device("edge-99"), reason: "too_far_ahead", at: 1, place: place, bytes: [1])
        #expect(try await store.quarantine([batch]) == 0)
        #expect(try await store.quarantine((0..<Int64(TimeSeriesLimits.quarantineRowsMax)).map { item($0, of: Int($0) % 50) }) == 1)
        #expect(try await store.quarantined(QuarantineQuery(device: batch.device)).count == 1)
        #expect(try await all(store).count == TimeSeriesLimits.quarantineRowsMax)
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
        let store = try await make.open(scratch)
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
        let store = try await make.open(scratch)
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
