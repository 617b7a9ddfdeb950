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
    /// Where the chart library's files are.
    var chartDirectory: String
    var logLevel: LogLevel

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
            chartDirectory: reader.string("console.chart_directory", default: "/usr/share/javascript/dygraphs"),
            logLevel: reader.logLevel())
        return (settings, reader.finish())
    }
}
