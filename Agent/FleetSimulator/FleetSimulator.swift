import AgentBuffer
import ArgumentParser
import LinuxDriver
import Settings
import Telemetry

/// farwatch-fleetsim: N simulated devices in one process, each with its own buffer, identity and connection, speaking through the agent's own
/// Buffer and Sync.
@main
struct FleetSimulator: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "farwatch-fleetsim",
        abstract: "Simulates a fleet of Farwatch devices against a real broker and collector.",
        discussion: """
            Each device samples made-up series into a buffer of its own and syncs it as a real agent does. At the end it waits until \
            everything is acknowledged, and prints what was produced and what was acknowledged, to be compared with what the collector stored.

            Exit codes: 0 all produced samples are acknowledged, 1 some are not, 64 wrong usage, 73 the buffers' directory cannot be written.
            """,
        version: "farwatch-fleetsim " + FarwatchVersion.text)

    @Option(help: "The broker's host.") var broker = "127.0.0.1"
    @Option(help: "The broker's port.") var port: UInt16 = 1883
    @Option(help: "How many devices, at most 10,000.") var devices = 10
    @Option(help: "Seconds between two ticks of a device.") var interval = 1.0
    @Option(name: .customLong("for"), help: "How long to sample, e.g. 30s or 5m; until Ctrl-C if not given.") var duration: String?
    @Option(help: "The part of the fleet that is offline at any time, 0…1.") var offlineFraction = 0.0
    @Option(help: "Series a device, at most 1,000.") var series = 20
    @Option(help: "Ticks that each device has in its buffer before it first connects, back in time.") var backlog = 0
    @Option(help: "Ticks in a batch at most.") var sealTicks = 256
    @Option(help: "Seconds until a batch is sealed at the latest.") var sealAge = 5.0
    @Option(help: "How devices are named: PREFIX-0001, …") var prefix = "sim"
    @Option(help: "Where the buffers are kept; they are continued if they are there. A scratch directory, removed at the end, if not given.")
    var directory: String?
    @Option(help: "Seconds to wait at the end until everything is acknowledged.") var drain = 60.0
    @Option(help: "The seed of the made-up values.") var seed: UInt64 = 1
    @Option(help: "What a device's buffer may take, in bytes.") var bufferBytes: Int64 = 1 << 32
    @Option(help: "Where each device writes down what it does, tick by tick, to be compared with a store; adds series that name each tick.")
    var truth: String?
    @Option(help: "A file that holds how many milliseconds the devices' clocks are ahead; looked at every 100 ms.")
    var clockOffsetFile: String?
    @Flag(help: "End when the backlog is in the buffers, without connecting.") var fillOnly = false
    @Flag(help: "Print the result as JSON.") var json = false
    @Flag(help: "Print no progress.") var quiet = false

    mutating func validate() throws {
        guard (1...10_000).contains(devices) else { throw ValidationError("--devices takes 1 to 10000.") }
        guard DeviceId(prefix + "-0001") != nil else { throw ValidationError("--prefix takes up to 58 of A-Z a-z 0-9 . _ -, not \"\(prefix)\".") }
        guard (0.01...3600).contains(interval) else { throw ValidationError("--interval takes 0.01 to 3600 seconds.") }
        guard (0...1).contains(offlineFraction) else { throw ValidationError("--offline-fraction takes 0 to 1.") }
        guard (1...1000).contains(series) else { throw ValidationError("--series takes 1 to 1000.") }
        guard (0...10_000_000).contains(backlog) else { throw ValidationError("--backlog takes 0 to 10000000 ticks.") }
        guard (1...4096).contains(sealTicks) else { throw ValidationError("--seal-ticks takes 1 to 4096.") }
        guard (0.01...3600).contains(sealAge) else { throw ValidationError("--seal-age takes 0.01 to 3600 seconds.") }
        guard (BufferLimits.bytesMaxLeast...1 << 40).contains(bufferBytes) else {
            throw ValidationError("--buffer-bytes takes \(BufferLimits.bytesMaxLeast) to \(1 << 40).")
        }
        guard !fillOnly || directory != nil else { throw ValidationError("--fill-only needs a --directory that stays.") }
        guard (0...86_400).contains(drain) else { throw ValidationError("--drain takes 0 to 86400 seconds.") }
        if let duration, SettingsUnits.milliseconds(duration) == nil {
            throw ValidationError("--for takes a duration such as 30s or 5m, not \"\(duration)\".")
        }
    }

    func run() throws {
        let plan = FleetPlan(
            broker: broker, port: port, devices: devices, interval: Int64(interval * 1000),
            duration: duration.flatMap(SettingsUnits.milliseconds), offlineFraction: offlineFraction, series: series, backlog: backlog,
            sealTicks: sealTicks, sealAge: Int64(sealAge * 1000), prefix: prefix, directory: directory, drain: Int64(drain * 1000), seed: seed,
            bufferBytes: bufferBytes, truthDirectory: truth, clockOffsetFile: clockOffsetFile, isFillOnly: fillOnly)
        let fleet: Fleet
        do {
            fleet = try Fleet(plan, showsProgress: !quiet)
        } catch {
            Output.errorLine("farwatch-fleetsim: \(error)")
            throw ArgumentParser.ExitCode(Settings.ExitCode.cannotCreate)
        }
        let result = try fleet.run()
        Output.line(json ? result.json : result.text)
        if !fillOnly && !result.isComplete { throw ArgumentParser.ExitCode(1) }
    }
}
