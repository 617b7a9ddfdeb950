import CacheStores
import CertificateService
import CollectorAPI
import CollectorConsole
import CollectorFixtures
import CollectorIngest
import CompletenessService
import DeviceService
import DocumentStores
import Hummingbird
import LinuxDriver
import Logging
import ServiceSupport
import Telemetry
import TimeSeriesStores

/// A collector without a broker: real stores in a scratch directory, real services, the real router.
final class APIBench: Sendable {
    static let now: Int64 = SampleBatches.start + 3_600_000

    private let scratch = ScratchDirectory()
    let store: EmbeddedTimeSeriesStore
    let documents: EmbeddedDocumentStore
    let devices: DeviceService
    let certificates: CertificateService
    let changes = LiveChanges()
    let registry = MetricsRegistry()
    let brokerReason = Changeable<String?>(nil)
    let application: Application<RouterResponder<APIContext>>

    init(chartDirectory: String? = nil, cache: any Cache = MemoryCache(), requestLimit: RequestLimit? = nil) throws {
        store = try EmbeddedTimeSeriesStore(directory: scratch.path)
        documents = try EmbeddedDocumentStore(directory: scratch.path)
        devices = DeviceService(store: store, documents: documents, cache: cache)
        let clock = Clock(wall: { APIBench.now }, boot: { 0 })
        certificates = CertificateService(documents: documents, store: store, cache: MemoryCache(), clock: clock)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let pipeline = IngestPipeline(
            store: store, documents: documents, receivers: IngestPipeline.Receivers(documents: [devices], presence: [devices], commits: [devices]),
            changes: changes, registry: registry, clock: clock, logger: logger
        ) { _, _ in }
        let api = CollectorAPI(
            devices: devices, certificates: certificates, completeness: CompletenessService(store: store, devices: devices, clock: clock),
            replay: QuarantineReplay(store: store, pipeline: pipeline), store: store, changes: changes, registry: registry,
            checks: [ReadinessCheck("broker") { [brokerReason] in brokerReason.value }], clock: clock, liveInterval: .milliseconds(20),
            cache: cache, requestLimit: requestLimit)
        let charts = chartDirectory ?? scratch.path
        let router = api.router { CollectorConsole(chartDirectory: charts).addRoutes(to: $0) }
        application = Application(
            router: router, configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            logger: logger)
    }

    /// Commits a batch and tells everybody, as the pipeline does.
    func commit(_ batch: Batch) async throws {
        let block = try Block(decoding: batch.payload)
        _ = try await store.commit([IncomingBatch(batch: batch, block: block)])
        await devices.committed([batch.device: DeviceActivity(at: Self.now, newest: block.newestTick)])
        changes.mark([batch.device])
    }

    func report(_ certificates: String, device: String = "edge-1") async throws {
        let json = #"{"type":"certificate_report","scan":1,"part":1,"parts":1,"certificates":["# + certificates + "]}"
        let document = ReceivedDocument(
            device: SampleBatches.device(device), type: "certificate_report", body: try JSONParser.parse(json), sealedAt: 1, receivedAt: 1)
        try await self.certificates.receive(document)
    }

    static func certificate(_ digit: Character, notAfter: String) -> String {
        let id = String(repeating: digit, count: 64)
        let dates = #""not_before":"2025-01-01T00:00:00Z","not_after":"\#(notAfter)""#
        return #"{"id":"\#(id)","path":"/\#(digit)","subject":"CN=\#(digit)","trusted":true,\#(dates)}"#
    }
}
