import CacheStores
import CollectorFixtures
import CollectorIngest
import DeviceService
import DocumentStores
import ServiceSupport
import Synchronization
import Telemetry
import Testing
import TimeSeriesStores

/// Documents of devices that somebody removed.
@Suite struct ForgottenDevicesTests {
    private let store: EmbeddedTimeSeriesStore
    private let documents: EmbeddedDocumentStore
    private let scratch = ScratchDirectory()
    private let start = SampleBatches.start

    init() throws {
        store = try EmbeddedTimeSeriesStore(directory: scratch.path)
        documents = try EmbeddedDocumentStore(directory: scratch.path)
    }

    private func service(_ documents: (any DocumentStore)? = nil) -> DeviceService {
        DeviceService(store: store, documents: documents ?? self.documents, cache: MemoryCache())
    }

    private func commit(_ device: DeviceId, _ service: DeviceService) async throws {
        let batch = SampleBatches.samples(1, device: device.text)
        _ = try await store.commit([IncomingBatch(batch: batch, block: try Block(decoding: batch.payload))])
        await service.committed([device: DeviceActivity(at: start + 20_000, newest: SampleBatches.ticks(10).last)])
    }

    private func drop() async throws {
        try await documents.apply(try await documents.find(DocumentQuery(), in: .devices).map { .delete($0.id, in: .devices) })
    }

    @Test func `devices come back as they are remembered, labels and all`() async throws {
        let service = service()
        let device = SampleBatches.device()
        try await commit(device, service)
        _ = try await service.setLabels(["site": "north"], of: device, at: start)
        let before = try await service.rows().map { $0.device }
        #expect(try await service.restoreForgotten(at: start).isEmpty)
        try await drop()
        #expect(try await service.rows().isEmpty)
        #expect(try await service.restoreForgotten(at: start) == [device])
        #expect(try await service.rows().map { $0.device } == before)
    }

    @Test func `devices that nobody remembers come back with the times of their samples, more than one page of them`() async throws {
        let writer = service()
        let devices = (0..<1_003).map { SampleBatches.device("device-\($0)") }
        for device in devices { try await commit(device, writer) }
        try await drop()
        let service = service()
        #expect(try await service.restoreForgotten(at: start + 99_000_000) == Set(devices))
        let rows = try await service.rows()
        #expect(rows.count == devices.count)
        #expect(rows.allSatisfy { $0.device.firstSeen == start && $0.device.lastSeen == start + 9_000 && $0.device.status == .unknown })
        #expect(try await service.restoreForgotten(at: start).isEmpty)
    }

    @Test func `what is stored of a device can be asked for while documents cannot, or have forgotten it`() async throws {
        let picky = PickyDocumentStore(documents, refusing: "nobody")
        let service = service(picky)
        let device = SampleBatches.device()
        try await commit(device, service)
        picky.isDown.store(true, ordering: .relaxed)
        #expect(try await service.exists(device))
        await #expect(throws: StoreError.self) { try await service.exists(SampleBatches.device("nobody")) }
        picky.isDown.store(false, ordering: .relaxed)
        try await drop()
        #expect(try await service.exists(device))
        #expect(try await service.exists(SampleBatches.device("nobody")) == false)
    }
}
