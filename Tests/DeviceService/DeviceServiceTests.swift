import CacheStores
import CollectorFixtures
import CollectorIngest
import DeviceService
import DocumentStores
import Synchronization
import Telemetry
import Testing
import TimeSeriesStores

@Suite struct DeviceServiceTests {
    private let store: EmbeddedTimeSeriesStore
    private let documents: EmbeddedDocumentStore
    private let cache = MemoryCache()
    private let service: DeviceService
    private let scratch = ScratchDirectory()
    private let device = SampleBatches.device()
    private let start = SampleBatches.start

    init() throws {
        store = try EmbeddedTimeSeriesStore(directory: scratch.path)
        documents = try EmbeddedDocumentStore(directory: scratch.path)
        service = DeviceService(store: store, documents: documents, cache: cache)
    }

    /// Commits ticks as the pipeline does.
    private func commit(_ sequence: Sequence64, _ ticks: [Tick], at: Int64) async throws {
        let batch = SampleBatches.samples(sequence, ticks: ticks)
        _ = try await store.commit([IncomingBatch(batch: batch, block: try Block(decoding: batch.payload))])
        await service.committed([device: DeviceActivity(at: at, newest: ticks.last)])
    }

    private func facts(_ json: String, at: Int64) throws -> ReceivedDocument {
        ReceivedDocument(device: device, type: "device_facts", body: try JSONParser.parse(json), sealedAt: at, receivedAt: at + 5)
    }

    @Test func `a device is there from its first batch on`() async throws {
        try await commit(1, SampleBatches.ticks(10), at: start + 20_000)
        let row = try #require(try await service.rows().first)
        #expect(row.device.id == device && row.device.status == .unknown)
        #expect(row.device.firstSeen == start + 20_000 && row.device.lastSeen == start + 20_000)
        #expect(row.latest?.at == start + 9_000 && row.latest?.cpuUsage == 0.09 && row.latest?.memoryUsage == nil)
    }

    @Test func `a list without the cache is the same list`() async throws {
        try await commit(1, SampleBatches.ticks(9), at: start + 20_000)
        let rows = try await service.rows()
        let other = DeviceService(store: store, documents: documents, cache: MemoryCache())
        #expect(try await other.rows() == rows)
        #expect(rows.first?.latest?.memoryUsage == 0.5)
    }

    @Test func `lastSeen is written every few seconds, and every collector says the same`() async throws {
        let other = DeviceService(store: store, documents: documents, cache: MemoryCache())
        func lastSeen() async throws -> Int64? {
            let seen = try await service.rows().first?.device.lastSeen
            #expect(try await other.rows().first?.device.lastSeen == seen)
            return seen
        }
        try await commit(1, SampleBatches.ticks(1), at: start)
        #expect(try await lastSeen() == start)
        for second in 1...4 { await service.committed([device: DeviceActivity(at: start + Int64(second) * 1_000, newest: nil)]) }
        #expect(try await lastSeen() == start)
        #expect(await service.writeSeen() == [device])
        #expect(try await lastSeen() == start + 4_000)
        #expect(await service.writeSeen().isEmpty)
        await other.committed([device: DeviceActivity(at: start + 9_000, newest: nil)])
        _ = await other.writeSeen()
        #expect(try await lastSeen() == start + 9_000)
        // The one that wrote less lately takes nothing back.
        await service.committed([device: DeviceActivity(at: start + 8_000, newest: nil)])
        _ = await service.writeSeen()
        #expect(try await lastSeen() == start + 9_000)
    }

    @Test func `a device whose batches are all refused is there, and was never seen to deliver`() async throws {
        await service.committed([device: DeviceActivity(at: start, newest: nil, isStored: false)])
        let row = try #require(try await service.rows().first)
        #expect(row.device.firstSeen == start && row.device.lastSeen == nil && row.latest == nil)
        #expect(await service.writeSeen().isEmpty)
    }

    @Test func `without a broker nobody is online, whatever the last word was`() async throws {
        let lostAt = Changeable<Int64?>(nil)
        let service = DeviceService(store: store, documents: documents, cache: MemoryCache()) { lostAt.value }
        try await service.presenceChanged([device: true], at: start)
        #expect(await service.isOnline(device))
        lostAt.value = start + 5
        let lost = try #require(try await service.rows().first?.device)
        #expect(lost.status == .unknown && lost.unknownSince == start + 5)
        #expect(await service.isOnline(device) == false)
        lostAt.value = nil
        // The new connection's words are what counts.
        await service.presenceBegan(at: start + 6)
        #expect(try await service.rows().first?.device.status == .unknown)
        try await service.presenceChanged([device: true], at: start + 7)
        #expect(try await service.rows().first?.device.status == .online)
    }

    @Test func `what another collector has written is read again when it is told of`() async throws {
        let other = DeviceService(store: store, documents: documents, cache: MemoryCache())
        try await commit(1, SampleBatches.ticks(1), at: start)
        #expect(try await other.rows().first?.latest?.at == start)
        try await commit(2, SampleBatches.ticks(1, from: start + 60_000), at: start + 60_000)
        #expect(try await other.rows().first?.latest?.at == start)
        await other.changedByOthers([device])
        #expect(try await other.rows().first?.latest?.at == start + 60_000)
        // And what it then commits of a backlog is not newer.
        await other.committed([device: DeviceActivity(at: start + 61_000, newest: SampleBatches.ticks(1, from: start + 30_000)[0])])
        #expect(try await other.rows().first?.latest?.at == start + 60_000)
    }

    @Test func `what another collector writes while the cache is written is not hidden by what was read before`() async throws {
        let cache = InterruptedCache()
        let other = DeviceService(store: store, documents: documents, cache: cache)
        try await commit(1, SampleBatches.ticks(1), at: start)
        await cache.interruptNextWrite {
            try? await commit(2, SampleBatches.ticks(1, from: start + 60_000), at: start + 60_000)
            await other.changedByOthers([device])
        }
        #expect(try await other.rows().first?.latest?.at == start)
        #expect(try await other.rows().first?.latest?.at == start + 60_000)
        // Nor by what it itself commits.
        await cache.interruptNextWrite {
            try? await commit(3, SampleBatches.ticks(1, from: start + 120_000), at: start + 120_000)
            await other.changedByOthers([device])
        }
        await other.committed([device: DeviceActivity(at: start + 121_000, newest: SampleBatches.ticks(1, from: start + 30_000)[0])])
        #expect(try await other.rows().first?.latest?.at == start + 120_000)
        // Once nobody else writes, it is kept.
        let asked = cache.counts.hits
        #expect(try await other.rows().first?.latest?.at == start + 120_000)
        #expect(cache.counts.hits == asked + 1)
    }

    @Test func `a backlog that fills in late does not show as the newest`() async throws {
        try await commit(2, SampleBatches.ticks(1, from: start + 100_000), at: start + 200_000)
        try await commit(1, SampleBatches.ticks(1), at: start + 201_000)
        #expect(try await service.rows().first?.latest?.at == start + 100_000)
        let restarted = DeviceService(store: store, documents: documents, cache: MemoryCache())
        await restarted.committed([device: DeviceActivity(at: start + 300_000, newest: SampleBatches.ticks(1)[0])])
        #expect(try await restarted.rows().first?.latest?.at == start + 100_000)
    }

    @Test func `presence is written when it changes`() async throws {
        try await service.presenceChanged([device: true], at: start)
        #expect(try await service.rows().first?.device.status == .online)
        try await service.presenceChanged([device: false], at: start + 1)
        let row = try await service.rows().first
        #expect(row?.device.status == .offline && row?.device.lastSeen == nil && row?.device.firstSeen == start && row?.latest == nil)
    }

    @Test func `who was seen while the store was down is written when it is back, without another batch`() async throws {
        let picky = PickyDocumentStore(documents, refusing: "nobody")
        let service = DeviceService(store: store, documents: picky, cache: cache)
        let devices = [SampleBatches.device("edge-1"), SampleBatches.device("edge-2")]
        picky.isDown.store(true, ordering: .relaxed)
        await service.committed(Dictionary(devices.map { ($0, DeviceActivity(at: start, newest: nil)) }) { first, _ in first })
        #expect(await service.writeSeen() == [])
        picky.isDown.store(false, ordering: .relaxed)
        #expect(await service.writeSeen() == Set(devices))
        #expect(try await documents.find(DocumentQuery(), in: .devices).allSatisfy { $0.body["lastSeen"] == .integer(start) })
    }

    @Test func `a device that the store refuses holds up no other's presence, and no other's being seen`() async throws {
        let picky = PickyDocumentStore(documents, refusing: "edge-5")
        let service = DeviceService(store: store, documents: picky, cache: cache)
        let devices = (1...9).map { SampleBatches.device("edge-\($0)") }
        let others = Set(devices.map { $0.text }).subtracting(["edge-5"])
        try await service.presenceChanged(Dictionary(devices.map { ($0, true) }) { first, _ in first }, at: start)
        #expect(Set(try await documents.find(DocumentQuery(), in: .devices).map { $0.id }) == others)
        func commit(at: Int64) async {
            await service.committed(Dictionary(devices.map { ($0, DeviceActivity(at: at, newest: nil)) }) { first, _ in first })
        }
        func seen(at: Int64) async throws -> Set<String> {
            Set(try await documents.find(DocumentQuery(), in: .devices).filter { $0.body["lastSeen"] == .integer(at) }.map { $0.id })
        }
        await commit(at: start + 10)
        #expect(try await seen(at: start + 10) == others)
        await commit(at: start + 20)
        #expect(Set(await service.writeSeen().map { $0.text }) == others)
        #expect(try await seen(at: start + 20) == others)
    }

    @Test func `facts are taken, and older ones that come late are not`() async throws {
        try await service.receive(try facts(#"{"type":"device_facts","facts":{"hostname":"h","cpu_count":4,"odd":[1]}}"#, at: 20))
        try await service.receive(try facts(#"{"type":"device_facts","facts":{"hostname":"old"}}"#, at: 10))
        let detail = try #require(try await service.detail(of: device))
        #expect(detail.row.device.facts == ["hostname": "h", "cpu_count": 4])
        await #expect(throws: Refusal.self) { try await service.receive(try facts(#"{"type":"device_facts"}"#, at: 30)) }
    }

    @Test func `a device's page tells its series and samples; a stranger has none`() async throws {
        try await commit(1, SampleBatches.ticks(10), at: start)
        let detail = try #require(try await service.detail(of: device))
        #expect(detail.series == ["cpu_usage", "memory_usage"] && detail.samplesStored == 15)
        #expect(try await service.detail(of: SampleBatches.device("stranger")) == nil)
    }

    @Test func `a value with labels stands in where there is none without`() {
        let labelled = Reading(Series("network_latency", [Label("target", "gateway")]), 0.003)
        #expect(LatestValues(Tick(at: 1, readings: [labelled, Reading(Series("cpu_usage"), .nan)])).networkLatency == 0.003)
        #expect(LatestValues(Tick(at: 1, readings: [labelled, Reading(Series("network_latency"), 0.001)])).networkLatency == 0.001)
    }

    @Test func `a device's newest values are the same from a cache that has them, has lost them, or holds something else`() async throws {
        for second in 0..<25 {
            try await commit(Sequence64(second + 1), [SampleBatches.ticks(25)[second]], at: start + Int64(second) * 1_000 + 100)
        }
        let kept = try #require(try await service.recent(of: device))
        #expect(kept.map { $0.at } == (5..<25).reversed().map { start + Int64($0) * 1_000 })
        func expectSame() async throws {
            let found = try #require(try await service.recent(of: device))
            #expect(found.map { $0.at } == kept.map { $0.at } && found.map { $0.cpuUsage } == kept.map { $0.cpuUsage })
        }
        try await expectSame()
        await cache.remove([.deviceMetrics(device.text)])
        try await expectSame()
        // Older than what is committed.
        for _ in 0..<20 { await cache.write([.append(.deviceMetrics(device.text), Array(#"{"at":1,"cpu_usage":0.5}"#.utf8))]) }
        try await expectSame()
        for _ in 0..<20 { await cache.write([.append(.deviceMetrics(device.text), Array("nonsense".utf8))]) }
        try await expectSame()
        #expect(try await service.recent(of: SampleBatches.device("nobody")) == nil)
    }

    @Test func `the names of series are kept until there are more samples`() async throws {
        try await commit(1, SampleBatches.ticks(1), at: start)
        func names() async throws -> [String]? { try await service.detail(of: device)?.series }
        #expect(try await names() == ["cpu_usage", "memory_usage"])
        let key = CacheKey(.series, device.text)
        #expect(await cache.get(key) != nil)
        await cache.set(key, Array(#"{"samples":2,"series":["kept"]}"#.utf8))
        #expect(try await names() == ["kept"])
        try await commit(2, [Tick(at: start + 1_000, readings: [Reading(Series("new_metric"), 1)])], at: start)
        #expect(try await names() == ["cpu_usage", "memory_usage", "new_metric"])
        await cache.set(key, Array("nonsense".utf8))
        #expect(try await names() == ["cpu_usage", "memory_usage", "new_metric"])
    }
}
