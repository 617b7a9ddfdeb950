import ArgumentParser
import Settings
import Telemetry

/// farwatch: the operator's command line. It knows the collector by its HTTP interface alone.
@main
struct Farwatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "farwatch",
        abstract: "Asks a Farwatch collector about its fleet.",
        discussion: """
            The collector is named by --collector or FARWATCH_COLLECTOR; without either it is \(CollectorOptions.addressDefault).

            Exit codes: 0 ok, 1 not so (samples are missing, a replayed item was refused again, a certificate has a fault), 64 wrong usage, 66 no such \
            device, item, certificate or file, \
            69 the collector cannot be reached or failed, 74 the result cannot be written.
            """,
        version: "farwatch " + FarwatchVersion.text,
        subcommands: [DevicesCommand.self, CertificatesCommand.self, QuarantineCommand.self])
}

/// What every subcommand takes.
struct CollectorOptions: ParsableArguments {
    static let addressDefault = "http://127.0.0.1:8420"

    @Option(help: "The collector's address; FARWATCH_COLLECTOR if not given.") var collector: String?
    @Flag(help: "Print the collector's answer as JSON.") var json = false
}

extension DeviceId: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

/// The numbers that scripts go by.
enum Exit {
    static let notSo = ExitCode(1)
    static let usage = ExitCode(64)
    static let notFound = ExitCode(66)
    static let unavailable = ExitCode(69)
    static let cannotWrite = ExitCode(74)
}
