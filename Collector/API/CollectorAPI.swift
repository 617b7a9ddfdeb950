import CacheStores
import CertificateService
import CollectorIngest
import CompletenessService
import DeviceService
import Hummingbird
import LinuxDriver
import ServiceSupport
import TimeSeriesStores

/// The collector's HTTP interface: everything under `/v1`, health and metrics, and an answer for whatever else is asked.
package struct CollectorAPI: Sendable {
    private let devices: DeviceService
    private let certificates: CertificateService
    private let completeness: CompletenessService
    private let replay: QuarantineReplay
    private let store: any TimeSeriesStore
    private let changes: LiveChanges
    private let registry: MetricsRegistry
    private let checks: [ReadinessCheck]
    private let clock: Clock
    private let liveInterval: Duration
    private let cache: any Cache
    private let requestLimit: RequestLimit?

    /// - Parameters:
    ///   - liveInterval: between two events of the live stream.
    ///   - cache: of answers, and of who has asked how often.
    ///   - requestLimit: of each client; nil is none.
    package init(
        devices: DeviceService, certificates: CertificateService, completeness: CompletenessService, replay: QuarantineReplay,
        store: any TimeSeriesStore, changes: LiveChanges, registry: MetricsRegistry, checks: [ReadinessCheck], clock: Clock = .system,
        liveInterval: Duration = .seconds(1), cache: any Cache = MemoryCache(), requestLimit: RequestLimit? = nil
    ) {
        self.devices = devices
        self.certificates = certificates
        self.completeness = completeness
        self.replay = replay
        self.store = store
        self.changes = changes
        self.registry = registry
        self.checks = checks
        self.clock = clock
        self.liveInterval = liveInterval
        self.cache = cache
        self.requestLimit = requestLimit
    }

    /// Routes for an application.
    /// - Parameter others: adds further routes.
    package func router(adding others: (Router<APIContext>) -> Void = { _ in }) -> Router<APIContext> {
        let router = Router(context: APIContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: RequestMetricsMiddleware(registry))
        router.add(middleware: SecurityHeadersMiddleware())
        let known = KnownRoutes()
        router.add(middleware: ProblemMiddleware(known))
        router.add(middleware: SameOriginMiddleware())
        if let requestLimit { router.add(middleware: RateLimitMiddleware(requestLimit, cache: cache, in: registry)) }
        let fleet = FleetView(devices: devices, certificates: certificates, clock: clock)
        let subscribers = SubscriberCount()
        registry.gauge("farwatch_http_live_subscribers", "Clients that follow the live stream.") { Double(subscribers.current) }
        DeviceRoutes<APIContext>(fleet: fleet, store: store, queries: QueryCache(cache: cache)).add(to: router)
        LabelRoutes<APIContext>(devices: devices, clock: clock).add(to: router)
        CertificateRoutes<APIContext>(certificates: certificates, validator: CertificateValidator(), clock: clock).add(to: router)
        LiveRoutes<APIContext>(fleet: fleet, changes: changes, subscribers: subscribers, interval: liveInterval).add(to: router)
        CompletenessRoutes<APIContext>(completeness: completeness, clock: clock).add(to: router)
        QuarantineRoutes<APIContext>(store: store, replay: replay).add(to: router)
        HealthRoutes<APIContext>(checks: checks, registry: registry).add(to: router)
        others(router)
        known.learn(router)
        return router
    }
}
