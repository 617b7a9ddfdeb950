import ArgumentParser
import LinuxDriver
import MongoDriver
import MongoStores
import PostgresDriver
import Settings
import TimescaleStores

/// `farwatch-collector migrate`.
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Bring the databases of PostgreSQL and MongoDB up to date.",
        discussion: "`serve` does the same when it starts. Any number of collectors may be running meanwhile.")

    @OptionGroup var common: CommonOptions
    @Flag(help: "Say what would be done, and change nothing.") var plan = false

    func run() async throws {
        let (settings, problems) = CollectorSettings.read(file: common.config)
        guard problems.isEmpty else {
            for problem in problems { Output.errorLine(problem.description) }
            throw ArgumentParser.ExitCode(Settings.ExitCode.configuration)
        }
        guard settings.postgres != nil || settings.mongo != nil else {
            Output.errorLine(
                "farwatch-collector: neither timeseries.postgres.uri nor documents.mongo.uri is set; the embedded stores bring themselves up to date")
            throw ArgumentParser.ExitCode(Settings.ExitCode.configuration)
        }
        if let options = settings.postgres {
            let migration = PostgresMigration(options: options, isPlan: plan)
            do throws(PostgresError) { try await migration.run() } catch {
                throw failed("\(options.server): \(error.complaint)", await migration.remedy(error), Self.exitCode(error.reason))
            }
        }
        if let options = settings.mongo {
            do throws(MongoError) { try MongoMigration(options: options, isPlan: plan).run() } catch {
                throw failed("\(options.server): \(error)", MongoRemedy.text(error.reason), Self.exitCode(error.reason))
            }
        }
    }

    private func failed(_ reason: String, _ remedy: String, _ code: Int32) -> ArgumentParser.ExitCode {
        Output.errorLine("farwatch-collector: " + reason + "\n" + remedy)
        return ArgumentParser.ExitCode(code)
    }

    /// A server that lets nobody in is as one that is not there; what the configuration names wrongly is for its writer.
    private static func exitCode(_ reason: PostgresErrorReason) -> Int32 {
        switch reason {
        case .configuration: Settings.ExitCode.configuration
        case .authentication, .tls, .permission: Settings.ExitCode.unavailable
        default: reason.isTransient ? Settings.ExitCode.unavailable : Settings.ExitCode.failure
        }
    }

    private static func exitCode(_ reason: MongoErrorReason) -> Int32 {
        switch reason {
        case .configuration: Settings.ExitCode.configuration
        case .authentication, .tls, .permission, .unsupportedServer: Settings.ExitCode.unavailable
        default: reason.isTransient ? Settings.ExitCode.unavailable : Settings.ExitCode.failure
        }
    }
}
