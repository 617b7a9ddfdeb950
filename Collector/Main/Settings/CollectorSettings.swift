import CollectorAPI
import LinuxDriver
import MQTTDriver
import MongoStores
import RedisStores
import Settings
import TimescaleStores

/// The collector's configuration: `/etc/farwatch/collector.yaml`, each key overridable by `FARWATCH_…`. Without any it runs on embedded stores.
struct CollectorSettings {
    static let defaultFile = "/etc/farwatch/collector.yaml"

    var broker: MQTTOptions
    /// Where the embedded stores keep their files.
    var dataDirectory: String
    /// The server that keeps samples; nil for the embedded store.
    var postgres: TimescaleOptions?
    /// The server that keeps documents; nil for the embedded store.
    var mongo: MongoDocumentOptions?
    /// The server that caches; nil for memory.
    var redis: RedisCacheOptions?
    var httpHost: String
    /// 0 lets the kernel choose; the log says which.
    var httpPort: Int
    /// Of each client; nil is none.
    var requestLimit: RequestLimit?
    /// Where the chart library's files are.
    var chartDirectory: String
    var logLevel: LogLevel
    /// Files with passwords in them, of all servers.
    var passwordFiles: [String]

    static func read(
        file: String?, environment: @escaping (String) -> String? = Environment.value
    ) -> (CollectorSettings, problems: [SettingsProblem]) {
        var reader = SettingsReader(file: file ?? defaultFile, isRequired: file != nil, environment: environment)
        let settings = CollectorSettings(
            broker: reader.broker(),
            dataDirectory: reader.string("data.directory", default: "/var/lib/farwatch/collector"),
            postgres: reader.postgres(),
            mongo: reader.mongo(),
            redis: reader.redis(),
            httpHost: reader.string("http.host", default: "127.0.0.1"),
            httpPort: Int(reader.integer("http.port", default: 8420, in: 0...65_535)),
            requestLimit: reader.requestLimit(),
            chartDirectory: reader.string("console.chart_directory", default: "/usr/share/javascript/dygraphs"),
            logLevel: reader.logLevel(),
            passwordFiles: reader.passwordFiles)
        return (settings, reader.finish())
    }
}

extension SettingsReader {
    /// More than people and their dashboards need, and little enough for one that has gone wild.
    private static let requestsDefault: Int64 = 1_000

    fileprivate mutating func requestLimit() -> RequestLimit? {
        let count = integer("http.requests_per_minute", default: Self.requestsDefault, in: 0...Int64(RequestLimit.countMax))
        return count == 0 ? nil : RequestLimit(perMinute: Int(count))
    }
}
