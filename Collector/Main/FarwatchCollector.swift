import ArgumentParser
import MongoDriver
import Settings

/// farwatch-collector: assembly of the command line.
@main
struct FarwatchCollector: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "farwatch-collector",
        abstract: "Takes in what Farwatch agents deliver, stores it, and serves the API and the console.",
        discussion: """
            Configuration is one YAML file; every key can be overridden by the environment: broker.host by FARWATCH_BROKER_HOST. \
            Without any, it connects to a broker on localhost and keeps everything in embedded stores under /var/lib/farwatch/collector. \
            With timeseries.postgres.uri, samples go to PostgreSQL or TimescaleDB; with documents.mongo.uri, \
            documents go to MongoDB; with cache.redis.uri, the cache is Redis.

            Exit codes: 0 ok, 1 failure, 64 wrong usage, 69 the HTTP port cannot be had, 73 the data directory cannot be written, 78 wrong configuration.
            """,
        version: "farwatch-collector " + FarwatchVersion.text,
        subcommands: [ServeCommand.self, CheckConfigCommand.self, MigrateCommand.self, DoctorCommand.self])

    static func main() async {
        MongoLibrary.forgetCounters()
        await main(nil)
    }
}

/// What every subcommand takes.
struct CommonOptions: ParsableArguments {
    @Option(help: "The configuration; \(CollectorSettings.defaultFile) if not given.") var config: String?
}
