import LinuxDriver
import Telemetry

/// The agent's samplers of the machine itself: one call is one tick's values.
///
/// It runs every second for years on small boards, so a call reads bytes of files that stay open into one buffer that is kept,
/// and every series is made once. A source that the machine has not is absent from the tick, never an error.
package final class Sampler {
    /// After so many ticks the machine is looked over again for mounts, disks, interfaces and sensors that came or went.
    package static let rediscoveryTicks = 60
    /// What the buffer begins with; most files fit.
    private static let bufferBytes = 4096

    private let clock: Clock
    private var buffer = [UInt8](repeating: 0, count: bufferBytes)
    private var ticksUntilRediscovery = 0

    private var cpu: CPUSampler
    private let memory: MemorySampler
    private let load: LoadSampler
    private let uptime = Series("uptime_seconds")
    private var mounts: MountSampler
    private var disks: DiskSampler
    private var network: NetworkSampler
    private var temperatures: TemperatureSampler

    /// `measure` tells how full the file system at a path is; tests bring their own, since a fixture's mounts are not the machine's.
    package init(
        root: String = "/", clock: Clock = .system, measure: @escaping ([UInt8]) -> FileSystemSpace? = FileSystemSpace.ofDirectory
    ) {
        let tree = SourceTree(root: root)
        self.clock = clock
        cpu = CPUSampler(tree)
        memory = MemorySampler(tree)
        load = LoadSampler(tree)
        mounts = MountSampler(tree, measure: measure)
        disks = DiskSampler(tree)
        network = NetworkSampler(tree)
        temperatures = TemperatureSampler(tree)
    }

    /// Appends what the machine tells now; the order of the series is always the same.
    package func sample(into readings: inout [Reading]) {
        let now = clock.boot()
        rediscoverWhenDue(now)
        cpu.sample(into: &readings, buffer: &buffer)
        memory.sample(into: &readings, buffer: &buffer)
        load.sample(into: &readings, buffer: &buffer)
        // What /proc/uptime would say, in its hundredths, without reading a file: "the uptime of the system (including time spent in suspend)".
        readings.append(Reading(uptime, Double(now / 10) / 100))
        mounts.sample(into: &readings, now: now)
        disks.sample(into: &readings, buffer: &buffer)
        network.sample(into: &readings, buffer: &buffer)
        temperatures.sample(into: &readings, buffer: &buffer)
    }

    private func rediscoverWhenDue(_ now: Int64) {
        if ticksUntilRediscovery == 0 {
            ticksUntilRediscovery = Self.rediscoveryTicks
            mounts.rediscover(now: now, buffer: &buffer)
            disks.rediscover()
            network.rediscover()
            temperatures.rediscover()
        }
        ticksUntilRediscovery -= 1
    }
}
