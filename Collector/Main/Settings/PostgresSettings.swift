import LinuxDriver
import PostgresDriver
import ServiceSupport
import Settings
import TimescaleStores

extension SettingsReader {
    /// One to write and one to read at least.
    private static let connectionsRange: ClosedRange<Int64> = 2...1_000
    private static let keptMin: Int64 = 86_400_000

    /// The keys under `timeseries.postgres`; nil when no server is named.
    mutating func postgres() -> TimescaleOptions? {
        let uri = optionalString("timeseries.postgres.uri")
        let passwordFile = optionalString("timeseries.postgres.password_file")
        let least = integer("timeseries.postgres.connections_min", default: 5, in: Self.connectionsRange)
        let most = integer("timeseries.postgres.connections_max", default: 20, in: Self.connectionsRange)
        let samplesKept = kept("timeseries.postgres.samples_kept")
        let certificatesKept = kept("timeseries.postgres.certificates_kept", default: samplesKept)
        let minutesKept = kept("timeseries.postgres.minutes_kept")
        let hoursKept = kept("timeseries.postgres.hours_kept")
        let continuousAggregates = bool("timeseries.postgres.continuous_aggregates", default: false)
        if least > most { refuse("timeseries.postgres.connections_min", "it is more than timeseries.postgres.connections_max") }
        guard let uri else {
            if passwordFile != nil { refuse("timeseries.postgres.password_file", "timeseries.postgres.uri is not set") }
            return nil
        }
        guard var server = server(uri), least <= most else { return nil }
        if let passwordFile {
            guard let password = password(in: passwordFile, of: "timeseries.postgres.password_file") else { return nil }
            server.set("password", password)
        }
        var options = TimescaleOptions(server)
        options.pool.connectionsMin = Int(least)
        options.pool.connectionsMax = Int(most)
        options.samplesKept = samplesKept
        options.certificatesKept = certificatesKept
        options.minutesKept = minutesKept
        options.hoursKept = hoursKept
        options.continuousAggregates = continuousAggregates
        return options
    }

    private mutating func server(_ uri: String) -> PostgresOptions? {
        do throws(PostgresError) { return try PostgresOptions(uri) } catch {
            refuse("timeseries.postgres.uri", error.detail)
            return nil
        }
    }

    private mutating func kept(_ key: String, default kept: Duration? = nil) -> Duration? {
        value(key, default: kept, expected: "forever, or a duration of at least 1d") { text in
            if text == "forever" { return .some(nil) }
            return SettingsUnits.milliseconds(text).flatMap { $0 >= Self.keptMin ? .some(.milliseconds($0)) : nil }
        }
    }
}
