import CacheStores
import CertificateService
import CollectorAPI
import CollectorConsole
import CollectorIngest
import CompletenessService
import DeviceService
import DocumentStores
import Hummingbird
import HummingbirdCore
import LinuxDriver
import Logging
import MongoStores
import NIOCore
import RedisStores
import ServiceLifecycle
import ServiceSupport
import Settings
import TimeSeriesStores
import TimescaleStores
import UnixSignals

/// The collector, put together: stores, services, ingestion and HTTP, started and stopped by one service group.
struct Collector {
    /// What draining may take after SIGTERM before it is cut short: stores that do not answer are given up then, which takes some seconds more. What is
    /// not written is not acknowledged, and comes again.
    private static let drainMax: Duration = .seconds(6)

    /// How long a connection may be idle, or a request half sent.
    private static let idleMax: TimeAmount = .seconds(60)
    /// HTTP connections at once; further ones wait.
    private static let connectionsMax = 2_000

    private let settings: CollectorSettings
    private let logger = Logger(label: "farwatch-collector")

    init(_ settings: CollectorSettings) { self.settings = settings }

    func run() async throws {
        let registry = MetricsRegistry()
        ProcessMetrics.register(in: registry)
        let directory = try await DataDirectory.open(
            settings.dataDirectory, hasSamples: settings.postgres == nil, hasDocuments: settings.mongo == nil)
        let mongo = try settings.mongo.map { try MongoDocumentStore($0) }
        mongo?.register(in: registry)
        guard let documents: any DocumentStore = mongo ?? directory.documents else { preconditionFailure("documents are kept somewhere") }
        let server = settings.postgres.map(TimescaleStore.init)
        server?.register(in: registry)
        guard let store: any TimeSeriesStore = server ?? directory.store else { preconditionFailure("samples are kept somewhere") }
        let broker = try BrokerSession(settings.broker, registry: registry, logger: logger)
        let redis = settings.redis.map(RedisCache.init)
        redis?.register(in: registry)
        let cache: any Cache = redis ?? MemoryCache()
        CacheMetrics.register(cache, in: registry)
        let devices = DeviceService(store: store, documents: documents, cache: cache) { broker.lostAt }
        let certificates = CertificateService(documents: documents, store: store, cache: cache)
        server?.ask { devices in (try? await certificates.statusNames(of: devices, at: Clock.system.wall())) ?? [:] }
        server?.tell { [logger] in logger.warning("upkeep of the database failed", metadata: ["reason": "\($0)"]) }
        server?.tell(parts: partLog)
        server?.tell(availability: availabilityLog(server))
        let completeness = CompletenessService(store: store, devices: devices)
        let changes = LiveChanges()

        var limits = IngestPipeline.Limits()
        // A row a sample, and others wait for the devices whose rows a transaction holds.
        if server != nil {
            limits.group.rowsMax = TimescaleStore.groupRowsMax
            limits.group.growthMax = TimescaleStore.groupGrowthMax
            limits.groupsInFlight = TimescaleStore.groupsInFlight
        }
        // It may be down by itself.
        limits.isDocumentStoreApart = mongo != nil
        let pipeline = IngestPipeline(
            store: store, documents: documents,
            receivers: IngestPipeline.Receivers(documents: [devices, certificates], presence: [devices], commits: [devices]),
            changes: changes, registry: registry, limits: limits, logger: logger
        ) { topic, bytes in broker.publish(topic: topic, bytes: bytes) }
        broker.deliver { topic, bytes in
            pipeline.receive(topic: topic, bytes: bytes)
        } began: {
            pipeline.connectionBegan()
        }

        let api = CollectorAPI(
            devices: devices, certificates: certificates, completeness: completeness,
            replay: QuarantineReplay(store: store, pipeline: pipeline), store: store, changes: changes, registry: registry,
            checks: [
                ReadinessCheck("broker") { broker.unavailableReason },
                ReadinessCheck("stores", detail: { server?.serverName }) { pipeline.unavailableReason ?? server?.unavailableReason },
            ] + (mongo.map { store in [ReadinessCheck("documents", detail: { store.serverName }) { store.unavailableReason }] } ?? [])
                + (redis.map { redis in [ReadinessCheck("cache", detail: { redis.description }) { nil }] } ?? []),
            cache: cache, requestLimit: settings.requestLimit)
        let manager = ServiceManager()
        let router = api.router { CollectorConsole(chartDirectory: settings.chartDirectory).addRoutes(to: $0) }

        // Stopped in the reverse order: systemd hears of it, nobody asks any more, then what was taken in is written and acknowledged, then who was seen, then the broker is
        // left.
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = []
        if let server { services.append(.init(service: PostgresService(store: server))) }
        if let mongo {
            services.append(.init(service: MongoService(store: mongo, logger: logger)))
            services.append(.init(service: DocumentFollower(store: mongo, devices: devices, certificates: certificates, changes: changes)))
        }
        if let redis { services.append(.init(service: RedisService(cache: redis, logger: logger))) }
        services += [
            .init(service: broker), .init(service: LastSeenWriter(devices: devices, changes: changes)), .init(service: pipeline),
            .init(service: OtherCollectors(store: store, devices: devices, changes: changes, logger: logger)),
            .init(service: ForgottenDevices(devices: devices, changes: changes, logger: logger)),
            .init(service: application(router, onListening: manager.ready)), .init(service: SignsOfLife(manager: manager)),
        ]
        let group = ServiceGroup(
            configuration: .init(
                services: services,
                gracefulShutdownSignals: [.sigterm, .sigint], cancellationSignals: [], logger: logger
            ).cutShort(after: Self.drainMax))
        logger.info(
            "started",
            metadata: [
                "version": "\(FarwatchVersion.text)", "data": "\(settings.dataDirectory)", "stores": "\(server == nil ? "embedded" : "postgres")",
                "documents": "\(mongo == nil ? "embedded" : "mongo")",
            ])
        // What was cut short may say so.
        do { try await group.run() } catch is CancellationError {}
        logger.info("stopped")
        withExtendedLifetime(directory) {}
    }

    /// Says what makes the server's disk busy.
    private var partLog: TimescaleStore.PartLog {
        { [logger] progress in
            logger.info(
                "a table is being migrated part by part while samples are taken",
                metadata: ["change": "\(progress.change)", "parts": "\(progress.parts)", "done": "\(progress.done)"])
        }
    }

    /// Says at the start, and whenever it changes, whether samples can be written.
    private func availabilityLog(_ server: TimescaleStore?) -> TimescaleStore.AvailabilityLog {
        { [logger, weak server] reason in
            if let reason {
                logger.error("the database cannot be used; devices keep their data until it can", metadata: ["reason": "\(reason)"])
            } else {
                logger.notice("the database takes samples", metadata: ["server": "\(server?.serverName ?? "")"])
            }
        }
    }

    private func application(_ router: Router<APIContext>, onListening: @escaping @Sendable () -> Void) -> some Service {
        let logger = logger
        let host = settings.httpHost
        return HTTPService(
            Application(
                router: router,
                // A request that is not finished in time gives its connection up.
                server: .http1(configuration: .init(additionalChannelHandlers: [ParserProblem()], idleTimeout: Self.idleMax)),
                configuration: ApplicationConfiguration(
                    address: .hostname(host, port: settings.httpPort), serverName: "farwatch-collector/" + FarwatchVersion.text,
                    availableConnectionsDelegate: MaximumAvailableConnections(Self.connectionsMax)),
                onServerRunning: { channel in
                    let port = channel.localAddress?.port ?? 0
                    logger.info("listening", metadata: ["url": "http://\(host):\(port)/"])
                    onListening()
                },
                logger: logger),
            address: "\(host):\(settings.httpPort)")
    }
}

extension ServiceGroupConfiguration {
    /// Has what has not ended by itself after so long cancelled.
    fileprivate func cutShort(after duration: Duration) -> ServiceGroupConfiguration {
        var configuration = self
        configuration.maximumGracefulShutdownDuration = duration
        return configuration
    }
}

/// The store on PostgreSQL as a service: it is there before everything that needs it, and goes last.
private struct PostgresService: Service {
    let store: TimescaleStore

    func run() async throws { await cancelWhenGracefulShutdown { await store.run() } }
}

/// The HTTP server as a service that says which address it could not have.
private struct HTTPService<Base: Service>: Service {
    private let base: Base
    private let address: String

    init(_ base: Base, address: String) {
        self.base = base
        self.address = address
    }

    func run() async throws {
        do {
            try await base.run()
        } catch let error as IOError {
            throw CollectorError.cannotListen(address, SystemError(code: error.errnoCode, operation: "listen").reason)
        } catch let error as SocketAddressError.UnknownHost {
            throw CollectorError.cannotListen(address, "nobody knows the host \(error.host)")
        }
    }
}

/// Why the collector cannot run, beyond its stores.
enum CollectorError: Error, CustomStringConvertible {
    case inUse(String)
    case cannotListen(String, String)

    var description: String {
        switch self {
        case .inUse(let directory): "another collector is just opening the data directory \(directory); try again when it has started"
        case .cannotListen(let address, let reason): "cannot listen on \(address): \(reason). Set http.host and http.port to an address that is free."
        }
    }

    var exitCode: Int32 {
        switch self {
        case .inUse: Settings.ExitCode.cannotCreate
        case .cannotListen: Settings.ExitCode.unavailable
        }
    }
}
