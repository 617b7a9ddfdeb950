// swift-tools-version: 6.2
import PackageDescription

// FARWATCH_EMBEDDED=1 builds the agent alone, as Embedded Swift, with no package dependency:
// this is the agent's release build (see `Packaging/build-agent`). Without it the same sources build as ordinary Swift.
let isEmbedded = Context.environment["FARWATCH_EMBEDDED"] == "1"

let common: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// What the agent links: legal as ordinary and as Embedded Swift.
let agentSettings: [SwiftSetting] =
    isEmbedded
    ? common + [
        .enableExperimentalFeature("Embedded"),
        .unsafeFlags([
            "-wmo", "-Osize", "-Xfrontend", "-function-sections", "-Xfrontend", "-disable-cmo",
            // A copy of a function for each closure that it is called with was a thirtieth of the binary.
            "-Xllvm", "-sil-disable-pass=closure-specialize",
        ]),
    ]
    : common

/// The Unicode tables that String's comparison needs are a library of their own in Embedded Swift. The rest makes the binary small.
let agentLinkerSettings: [LinkerSetting] =
    isEmbedded
    ? [
        .linkedLibrary("swiftUnicodeDataTables"),
        .unsafeFlags([
            "-use-ld=lld", "-Xlinker", "--gc-sections", "-Xlinker", "--icf=all", "-Xlinker", "-mllvm=-enable-machine-outliner=always", "-Xlinker",
            "--no-eh-frame-hdr",
            "-Xlinker", Context.packageDirectory + "/Packaging/agent.ld",
        ]),
    ]
    : []

/// What runs in the collector and the tools: the whole language.
let collectorSettings: [SwiftSetting] = common + [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]

/// A target of what the agent links, at an explicit path.
func shared(_ name: String, at path: String, uses dependencies: [Target.Dependency] = [], links libraries: [String] = []) -> Target {
    .target(
        name: name, dependencies: dependencies, path: path, swiftSettings: agentSettings,
        linkerSettings: libraries.map { .linkedLibrary($0) })
}

/// A target of the collector, at an explicit path.
func collector(
    _ name: String, at path: String, uses dependencies: [Target.Dependency] = [], links libraries: [String] = [], resources: [Resource] = []
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: path, resources: resources, swiftSettings: collectorSettings,
        linkerSettings: libraries.map { .linkedLibrary($0) })
}

/// A test target under `Tests`, named for what it tests.
func tests(_ name: String, of dependencies: [Target.Dependency], at path: String? = nil, exclude: [String] = []) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: dependencies, path: "Tests/" + (path ?? name), exclude: exclude,
        swiftSettings: collectorSettings)
}

let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdTesting: Target.Dependency = .product(name: "HummingbirdTesting", package: "hummingbird")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let httpClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let agentTargets: [Target] = [
    // Shared: C libraries, each a module map and a shim that holds only what Swift cannot call.
    .target(name: "CLinux", path: "Shared/CLibraries/CLinux", cSettings: isEmbedded ? [.define("FARWATCH_EMBEDDED")] : []),
    .systemLibrary(name: "CSQLite", path: "Shared/CLibraries/CSQLite"),
    .systemLibrary(name: "CMosquitto", path: "Shared/CLibraries/CMosquitto"),
    .systemLibrary(name: "COpenSSL", path: "Shared/CLibraries/COpenSSL"),
    .systemLibrary(name: "CYAML", path: "Shared/CLibraries/CYAML"),

    // Shared: drivers, the only code that knows C types.
    shared("LinuxDriver", at: "Shared/Drivers/Linux", uses: ["CLinux"], links: ["m"]),
    shared("SQLiteDriver", at: "Shared/Drivers/SQLite", uses: ["CSQLite"], links: ["sqlite3"]),
    shared("MQTTDriver", at: "Shared/Drivers/MQTT", uses: ["CMosquitto", "LinuxDriver"], links: ["mosquitto"]),
    shared("OpenSSLDriver", at: "Shared/Drivers/OpenSSL", uses: ["COpenSSL"], links: ["crypto", "ssl"]),
    shared("YAMLDriver", at: "Shared/Drivers/YAML", uses: ["CYAML"], links: ["yaml"]),

    // Shared: what both sides speak and read.
    shared("Telemetry", at: "Shared/Telemetry", links: ["m"]),
    shared("Settings", at: "Shared/Settings", uses: ["YAMLDriver", "MQTTDriver", "LinuxDriver", "Telemetry"]),
    shared("CertificateInspection", at: "Shared/CertificateInspection", uses: ["OpenSSLDriver", "LinuxDriver", "Telemetry"]),

    // The agent.
    shared("AgentSampling", at: "Agent/Sampling", uses: ["LinuxDriver", "Telemetry"]),
    shared("AgentCertificates", at: "Agent/Certificates", uses: ["CertificateInspection", "OpenSSLDriver", "LinuxDriver", "Telemetry"]),
    shared("AgentBuffer", at: "Agent/Buffer", uses: ["SQLiteDriver", "LinuxDriver", "Telemetry"]),
    shared("AgentSync", at: "Agent/Sync", uses: ["AgentBuffer", "MQTTDriver", "LinuxDriver", "Telemetry"]),
    shared(
        "AgentDaemon", at: "Agent/Daemon",
        uses: [
            "AgentSampling", "AgentCertificates", "AgentBuffer", "AgentSync", "CertificateInspection", "MQTTDriver", "LinuxDriver", "Settings",
            "Telemetry",
        ]),
    .executableTarget(
        name: "farwatch-agent",
        dependencies: [
            "AgentDaemon", "AgentBuffer", "AgentCertificates", "AgentSampling", "CertificateInspection", "LinuxDriver", "MQTTDriver", "Settings",
            "Telemetry", "YAMLDriver",
        ],
        path: "Agent/Main", swiftSettings: agentSettings, linkerSettings: agentLinkerSettings),
]

let collectorTargets: [Target] = [
    collector("ServiceSupport", at: "Shared/ServiceSupport", uses: ["LinuxDriver", "SQLiteDriver"]),

    // PostgreSQL, for the collector alone.
    .systemLibrary(name: "CPostgres", path: "Shared/CLibraries/CPostgres"),
    collector(
        "PostgresDriver", at: "Shared/Drivers/Postgres", uses: ["CPostgres", "LinuxDriver", "ServiceSupport"], links: ["pq", "ssl"]),

    // MongoDB, for the collector alone. pkg-config knows where its headers are.
    .systemLibrary(name: "CMongo", path: "Shared/CLibraries/CMongo", pkgConfig: "libmongoc-1.0"),
    collector("MongoDriver", at: "Shared/Drivers/Mongo", uses: ["CMongo", "OpenSSLDriver", "LinuxDriver", "ServiceSupport"]),

    // Redis, for the collector alone. hiredis is linked into it: each release of Debian and Ubuntu has another that runs no program of the others.
    .systemLibrary(name: "CHiredis", path: "Shared/CLibraries/CHiredis"),
    .systemLibrary(name: "CTLS", path: "Shared/CLibraries/CTLS"),
    collector(
        "RedisDriver", at: "Shared/Drivers/Redis", uses: ["CHiredis", "CTLS", "LinuxDriver", "ServiceSupport"], links: [":libhiredis.a", "ssl"]),

    // The collector's stores: roles, and the embedded make of each.
    collector("TimeSeriesStores", at: "Collector/Stores/TimeSeries", uses: ["SQLiteDriver", "ServiceSupport", "Telemetry"]),
    collector(
        "TimescaleStores", at: "Collector/Stores/Timescale",
        uses: ["TimeSeriesStores", "PostgresDriver", "LinuxDriver", "ServiceSupport", "Telemetry"]),
    collector("DocumentStores", at: "Collector/Stores/Documents", uses: ["SQLiteDriver", "ServiceSupport", "Telemetry"]),
    collector(
        "MongoStores", at: "Collector/Stores/Mongo", uses: ["DocumentStores", "MongoDriver", "LinuxDriver", "ServiceSupport"]),
    collector("CacheStores", at: "Collector/Stores/Cache", uses: ["OpenSSLDriver", "LinuxDriver"]),
    collector("RedisStores", at: "Collector/Stores/Redis", uses: ["CacheStores", "RedisDriver", "LinuxDriver", "ServiceSupport"]),

    // The collector's work.
    collector(
        "CollectorIngest", at: "Collector/Ingest",
        uses: ["TimeSeriesStores", "DocumentStores", "MQTTDriver", "LinuxDriver", "ServiceSupport", "Telemetry", lifecycle, logging]),
    collector(
        "DeviceService", at: "Collector/Services/Devices",
        uses: ["CollectorIngest", "TimeSeriesStores", "DocumentStores", "CacheStores", "ServiceSupport", "Telemetry"]),
    collector(
        "CertificateService", at: "Collector/Services/Certificates",
        uses: [
            "CertificateInspection", "CollectorIngest", "TimeSeriesStores", "DocumentStores", "CacheStores", "LinuxDriver", "OpenSSLDriver",
            "Telemetry",
        ]),
    collector(
        "CompletenessService", at: "Collector/Services/Completeness",
        uses: ["DeviceService", "TimeSeriesStores", "LinuxDriver", "ServiceSupport", "Telemetry"]),
    collector(
        "CollectorConsole", at: "Collector/Console", uses: ["LinuxDriver", hummingbird],
        resources: [.embedInCode("Resources")]),
    collector(
        "CollectorAPI", at: "Collector/API",
        uses: [
            "CollectorIngest", "DeviceService", "CertificateService", "CompletenessService", "CacheStores", "DocumentStores", "TimeSeriesStores",
            "LinuxDriver", "ServiceSupport", "Telemetry", hummingbird, lifecycle, logging,
        ]),
    .executableTarget(
        name: "farwatch-collector",
        dependencies: [
            "CollectorAPI", "CollectorConsole", "CollectorIngest", "DeviceService", "CertificateService", "CompletenessService",
            "TimeSeriesStores", "TimescaleStores", "DocumentStores", "MongoStores", "CacheStores", "RedisStores", "MQTTDriver", "PostgresDriver",
            "MongoDriver", "RedisDriver", "LinuxDriver", "ServiceSupport",
            "Settings", "Telemetry", hummingbird, lifecycle, signals, logging, argumentParser,
        ],
        path: "Collector/Main", swiftSettings: collectorSettings),

    // What simulated machines sample, and the record of it.
    .target(name: "SimulatedFleet", dependencies: ["Telemetry"], path: "Shared/SimulatedFleet", swiftSettings: common),

    // The operator's command line: knows the collector by its HTTP interface alone.
    .executableTarget(
        name: "farwatch", dependencies: ["Settings", "LinuxDriver", "Telemetry", argumentParser, httpClient], path: "Operator",
        swiftSettings: collectorSettings),

    // A simulated fleet, speaking through the agent's own Buffer and Sync.
    .executableTarget(
        name: "farwatch-fleetsim",
        dependencies: ["AgentBuffer", "AgentSync", "MQTTDriver", "LinuxDriver", "Settings", "SimulatedFleet", "Telemetry", argumentParser],
        path: "Agent/FleetSimulator", swiftSettings: common),
]

let testTargets: [Target] = [
    tests("Telemetry", of: ["Telemetry"], exclude: ["Vectors", "decode.py"]),
    tests("LinuxDriver", of: ["LinuxDriver"]),
    tests("Settings", of: ["Settings", "MQTTDriver"]),
    tests("AgentBuffer", of: ["AgentBuffer", "SQLiteDriver", "LinuxDriver", "Telemetry"]),
    // What SQLite asks of the disk, taken down, and the buffer on what a power cut leaves of it.
    .target(name: "DiskRecorder", path: "Tests/DiskRecorder", linkerSettings: [.linkedLibrary("sqlite3")]),
    tests("PowerCut", of: ["AgentBuffer", "DiskRecorder", "LinuxDriver", "Telemetry"]),
    tests("AgentSync", of: ["AgentBuffer", "AgentSync", "LinuxDriver", "MQTTDriver", "Telemetry"]),
    // Agents, broker and collectors under seeded faults, in virtual time: the models, a command that runs many seeds, and the tests.
    .target(
        name: "DeliverySimulation",
        dependencies: [
            "AgentBuffer", "AgentDaemon", "AgentSync", "CollectorIngest", "DocumentStores", "MQTTDriver", "LinuxDriver", "SQLiteDriver", "Telemetry",
            "TimeSeriesStores",
        ], path: "Tests/Simulation/Model", swiftSettings: collectorSettings),
    .executableTarget(
        name: "farwatch-simulation", dependencies: ["DeliverySimulation", argumentParser], path: "Tests/Simulation/Command",
        swiftSettings: collectorSettings),
    tests("Simulation", of: ["DeliverySimulation"], exclude: ["Model", "Command", "FoundSeeds.txt", "run"]),
    // The real programs, a real broker, a real browser. Depends on the programs so that they are built with it.
    tests(
        "Integration",
        of: [
            "AgentBuffer", "SQLiteDriver", "MQTTDriver", "LinuxDriver", "PostgresDriver", "PostgresFixtures", "MongoDriver", "MongoFixtures",
            "RedisDriver", "RedisFixtures", "ServerFixtures", "CertificateFixtures", "Telemetry", "farwatch-agent", "farwatch-collector",
            "farwatch-fleetsim", "farwatch",
        ]),
    tests("AgentDaemon", of: ["AgentDaemon"]),
    tests("AgentSampling", of: ["AgentSampling", "LinuxDriver", "Telemetry"], exclude: ["Fixtures"]),
    // Certificates made by the `openssl` command, for the suites below.
    .target(name: "CertificateFixtures", path: "Tests/CertificateFixtures", exclude: ["serve.py"], swiftSettings: common),
    tests("OpenSSLDriver", of: ["OpenSSLDriver", "CertificateFixtures"]),
    tests("CertificateInspection", of: ["CertificateInspection", "OpenSSLDriver", "Telemetry", "CertificateFixtures"]),
    // Runs the x509-limbo corpus through the checking of certificates.
    .executableTarget(
        name: "farwatch-x509-cases", dependencies: ["CertificateInspection", "OpenSSLDriver", "LinuxDriver", argumentParser],
        path: "Tests/Conformance/x509/Command", swiftSettings: collectorSettings),
    tests(
        "AgentCertificates",
        of: ["AgentCertificates", "CertificateInspection", "LinuxDriver", "OpenSSLDriver", "Telemetry", "CertificateFixtures"]),
    // What `Tests/Benchmarks/run block` measures with.
    .executableTarget(
        name: "block-benchmark", dependencies: ["Telemetry"], path: "Tests/Benchmarks/BlockBenchmark", swiftSettings: collectorSettings),
    // Threads enough for tests that block; see its only file.
    .target(name: "CTestThreads", path: "Tests/CTestThreads"),
    // What fixtures of servers have in common.
    .target(name: "ServerFixtures", dependencies: ["CTestThreads"], path: "Tests/ServerFixtures", swiftSettings: common),
    // Scratch directories and batches as devices send them, for the suites below.
    .target(name: "CollectorFixtures", dependencies: ["Telemetry"], path: "Tests/CollectorFixtures", swiftSettings: common),
    // Compares what a fleet produced with what was stored; `Tests/Chaos/run` asks it by its command.
    .target(
        name: "ChaosCheck", dependencies: ["AgentBuffer", "SQLiteDriver", "SimulatedFleet", "Telemetry"], path: "Tests/Chaos/Check",
        swiftSettings: common),
    .executableTarget(
        name: "farwatch-chaos-check", dependencies: ["ChaosCheck", argumentParser], path: "Tests/Chaos/CheckCommand", swiftSettings: common),
    tests(
        "Chaos", of: ["ChaosCheck", "SimulatedFleet", "TimeSeriesStores", "DocumentStores", "CollectorFixtures", "Telemetry"],
        at: "Chaos/CheckTests"),
    tests("ServiceSupport", of: ["ServiceSupport", "CTestThreads"]),
    // Real Redis servers.
    .target(name: "RedisFixtures", dependencies: ["RedisDriver", "ServerFixtures"], path: "Tests/RedisFixtures", swiftSettings: common),
    tests("RedisDriver", of: ["RedisDriver", "RedisFixtures", "ServerFixtures", "CertificateFixtures", "ServiceSupport"]),
    // Real PostgreSQL servers of several kinds.
    .target(name: "PostgresFixtures", dependencies: ["PostgresDriver", "ServerFixtures"], path: "Tests/PostgresFixtures", swiftSettings: common),
    // What the benchmark of the driver runs.
    .executableTarget(
        name: "farwatch-copy-rows", dependencies: ["PostgresDriver"], path: "Tests/Benchmarks/CopyRows", swiftSettings: collectorSettings),
    tests("PostgresDriver", of: ["PostgresDriver", "PostgresFixtures", "CertificateFixtures", "ServiceSupport"]),
    // Real MongoDB servers, single ones and replica sets.
    .target(name: "MongoFixtures", dependencies: ["MongoDriver", "ServerFixtures"], path: "Tests/MongoFixtures", swiftSettings: common),
    // What the benchmark of documents runs.
    .executableTarget(
        name: "farwatch-upsert-documents",
        dependencies: [
            "CollectorIngest", "DocumentStores", "TimeSeriesStores", "MongoStores", "MongoDriver", "LinuxDriver", "ServiceSupport", "Telemetry",
            logging,
        ], path: "Tests/Benchmarks/UpsertDocuments", swiftSettings: collectorSettings),
    tests("MongoDriver", of: ["MongoDriver", "MongoFixtures", "CertificateFixtures"]),
    tests(
        "Stores",
        of: [
            "CollectorFixtures", "TimeSeriesStores", "TimescaleStores", "DocumentStores", "MongoStores", "CacheStores", "RedisStores",
            "PostgresDriver", "PostgresFixtures", "MongoDriver", "MongoFixtures", "RedisDriver", "RedisFixtures", "SQLiteDriver", "ServiceSupport",
            "Telemetry", "CertificateService", "ServerFixtures", "CollectorIngest",
        ]),
    tests(
        "CollectorIngest",
        of: [
            "CollectorFixtures", "CollectorIngest", "TimeSeriesStores", "DocumentStores", "LinuxDriver", "ServiceSupport", "Telemetry", lifecycle,
            logging,
        ]),
    tests(
        "DeviceService",
        of: [
            "CollectorFixtures", "DeviceService", "CollectorIngest", "TimeSeriesStores", "DocumentStores", "CacheStores", "ServiceSupport",
            "Telemetry",
        ]),
    tests(
        "CompletenessService",
        of: [
            "CompletenessService", "CollectorFixtures", "DeviceService", "TimeSeriesStores", "DocumentStores", "CacheStores", "LinuxDriver",
            "Telemetry",
        ]),
    tests(
        "CertificateService",
        of: [
            "CollectorFixtures", "CertificateService", "CollectorIngest", "TimeSeriesStores", "DocumentStores", "CacheStores", "LinuxDriver",
            "Telemetry",
        ]),
    tests(
        "CollectorAPI",
        of: [
            "CollectorFixtures", "ServerFixtures", "CollectorAPI", "CollectorConsole", "CollectorIngest", "DeviceService", "CertificateService",
            "CompletenessService",
            "TimeSeriesStores",
            "DocumentStores", "CacheStores", "CertificateFixtures", "LinuxDriver", "ServiceSupport", "Telemetry", hummingbird, hummingbirdTesting,
            lifecycle, logging,
        ]),
]

let package = Package(
    name: "farwatch",
    platforms: [.macOS(.v15)],
    dependencies: isEmbedded
        ? []
        : [
            .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
            .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
            .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
            .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
            .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        ],
    targets: agentTargets + (isEmbedded ? [] : collectorTargets + testTargets)
)
