import AgentDaemon
import AgentSampling
import LinuxDriver
import Settings
import Telemetry

/// `farwatch-agent sample`: one sample, now, printed. Takes a second, since CPU usage is a difference.
enum SampleCommand {
    private static let interval: Int64 = 1_000

    static func run(_ settings: AgentSettings, asJSON: Bool) -> Int32 {
        let sampler = Sampler()
        var readings: [Reading] = []
        sampler.sample(into: &readings)
        do throws(SystemError) {
            let loop = try EventLoop()
            let probe = try? LatencyProbe(targets: settings.latencyTargets, loop: loop) { target in
                Output.errorLine("The kernel refuses the probe " + target.text + "; it is left out.")
            }
            probe?.start(Clock.system.boot())
            let end = Clock.system.boot() + interval
            while Clock.system.boot() < end { try loop.runOnce(waitMax: end - Clock.system.boot()) }
            readings.removeAll()
            probe?.collect(into: &readings)
            probe?.stop()
        } catch {
            Output.errorLine("farwatch-agent: " + error.description)
            return ExitCode.failure
        }
        sampler.sample(into: &readings)
        return CommandOutput.show(text(readings, at: Clock.system.wall(), asJSON: asJSON), ExitCode.ok)
    }

    private static func text(_ readings: [Reading], at: Int64, asJSON: Bool) -> String {
        guard asJSON else {
            var text = ""
            let width = readings.reduce(0) { max($0, $1.series.description.utf8.count) }
            for reading in readings {
                let name = reading.series.description
                text += name + String(repeating: " ", count: width - name.utf8.count + 2) + reading.value.description + "\n"
            }
            return text
        }
        var writer = JSONWriter()
        writer.object { json in
            json.string("at", Timestamp.text(at))
            json.object("values") { json in
                for reading in readings { json.number(reading.series.description, reading.value) }
            }
        }
        return writer.text + "\n"
    }
}
