import AgentBuffer
import Foundation
import LinuxDriver
import SimulatedFleet
import Telemetry

/// The devices and the loop they share; runs a plan from the backlog to the last acknowledgement.
final class Fleet {
    /// Between two lines of progress, in milliseconds.
    private static let progressInterval: Int64 = 1_000
    /// How long a device stays off or on line when a part of the fleet is offline, in milliseconds.
    private static let spell: Int64 = 5_000
    /// Between two looks at the file with the clocks' offset, in milliseconds.
    private static let clockInterval: Int64 = 100

    private let plan: FleetPlan
    private let showsProgress: Bool
    private let loop: EventLoop
    private let signals: Signals
    private let clock = DeviceClock()
    private var devices: [SimulatedDevice] = []
    private let directory: String
    private var random: SplitMix
    private var isProducing = true
    private var startedAt: Int64 = 0
    private var endedAt: Int64 = 0

    init(_ plan: FleetPlan, showsProgress: Bool) throws {
        self.plan = plan
        self.showsProgress = showsProgress
        random = SplitMix(seed: plan.seed)
        directory = plan.directory ?? NSTemporaryDirectory() + "farwatch-fleetsim-\(ProcessInfo.processInfo.processIdentifier)"
        Signals.ignorePipe()
        signals = try Signals([Signals.terminate, Signals.interrupt])
        loop = try EventLoop()
        try SmallFile.makeDirectories(directory)
        if let truth = plan.truthDirectory { try SmallFile.makeDirectories(truth) }
        if let file = plan.clockOffsetFile { clock.readOffset(from: file) }
        for number in 1...plan.devices {
            let name = plan.prefix + "-" + String(repeating: "0", count: max(0, 4 - String(number).count)) + String(number)
            guard let id = DeviceId(name) else { throw FleetError(reason: "\"\(name)\" is no device id: 1 to 64 of A-Z a-z 0-9 . _ -") }
            devices.append(
                try SimulatedDevice(id, number: number, path: directory + "/" + name + ".sqlite", plan: plan, loop: loop, clock: clock))
        }
    }

    func run() throws -> FleetResult {
        defer { if plan.directory == nil { try? FileManager.default.removeItem(atPath: directory) } }
        try loop.watch(signals.fd, .readable) { [self] _ in
            // The first Ctrl-C ends the sampling, the second one the waiting.
            while signals.next() != nil { if isProducing { isProducing = false } else { loop.stop() } }
        }
        try fillBacklog()
        startedAt = Clock.system.boot()
        endedAt = startedAt
        if plan.isFillOnly { return try result() }
        if plan.clockOffsetFile != nil { keepClock() }
        for (index, device) in devices.enumerated() {
            device.goOnline()
            // Devices do not tick in step.
            schedule(device, in: plan.interval * Int64(index) / Int64(devices.count))
        }
        if plan.offlineFraction > 0 { rotateOffline() }
        if showsProgress { progress() }
        if let duration = plan.duration { loop.after(duration) { [self] in isProducing = false } }
        watchForEnd()
        try loop.run()
        let result = try self.result()
        for device in devices { device.goOffline() }
        return result
    }

    /// Ticks of the past, as after weeks without a link.
    private func fillBacklog() throws {
        guard plan.backlog > 0 else { return }
        let now = Clock.system.wall()
        defer { clock.goBack(to: nil) }
        for (index, device) in devices.enumerated() {
            for tick in 0..<plan.backlog {
                clock.goBack(to: now - Int64(plan.backlog - tick) * plan.interval)
                try device.tick()
            }
            device.seal()
            if showsProgress { Output.errorLine("backlog: device \(index + 1) of \(devices.count) has \(plan.backlog) ticks") }
        }
    }

    /// Clocks that are set by whoever writes the file.
    private func keepClock() {
        if let file = plan.clockOffsetFile { clock.readOffset(from: file) }
        loop.after(Self.clockInterval) { [self] in keepClock() }
    }

    private func schedule(_ device: SimulatedDevice, in delay: Int64) {
        loop.after(delay) { [self] in
            guard isProducing else { return }
            attempt { try device.tick() }
            schedule(device, in: plan.interval)
        }
    }

    private func rotateOffline() {
        guard isProducing else { return }
        for device in devices {
            if Double(random.below(10_000)) / 10_000 < plan.offlineFraction { device.goOffline() } else { device.goOnline() }
        }
        loop.after(Self.spell) { [self] in rotateOffline() }
    }

    /// Once nothing is produced any more: everybody online, everything sealed, until all is acknowledged or the patience ends.
    private func watchForEnd() {
        if isProducing {
            for device in devices { device.sealIfDue() }
            loop.after(200) { [self] in watchForEnd() }
            return
        }
        for device in devices {
            device.seal()
            device.goOnline()
        }
        let patienceEnds = Clock.system.boot() + plan.drain
        waitForDrain(until: patienceEnds)
    }

    private func waitForDrain(until end: Int64) {
        endedAt = Clock.system.boot()
        if devices.allSatisfy({ $0.isDone }) || endedAt >= end { return loop.stop() }
        loop.after(10) { [self] in waitForDrain(until: end) }
    }

    private func attempt(_ work: () throws -> Void) {
        do { try work() } catch { Output.errorLine("farwatch-fleetsim: \(error)") }
    }

    // MARK: Telling

    private func progress() {
        let produced = devices.reduce(0) { $0 + $1.samplesProduced }
        let counts = self.counts
        let waiting = Int(counts.batchesSealed) - Int(counts.batchesAcknowledged)
        let online = devices.count { $0.isOnline }
        var line = "\(produced) samples produced, \(waiting) batches not acknowledged yet, \(online) of \(devices.count) devices online"
        if let failure = devices.lazy.compactMap(\.lastFailure).first { line += "; last trouble: " + failure }
        Output.errorLine(line)
        loop.after(Self.progressInterval) { [self] in progress() }
    }

    private var counts: DeviceLife.Counts {
        var counts = DeviceLife.Counts()
        for device in devices { counts.add(device.counts) }
        return counts
    }

    private func result() throws -> FleetResult {
        let produced = devices.reduce(0) { $0 + $1.samplesProduced }
        let left = try devices.reduce(0) { $0 + (try $1.samplesLeft()) }
        let counts = self.counts
        return FleetResult(
            devices: devices.count, ticksProduced: devices.reduce(0) { $0 + $1.ticksProduced }, samplesProduced: produced,
            samplesAcknowledged: produced - left - Int(counts.samplesGivenUp), samplesGivenUp: Int(counts.samplesGivenUp),
            batchesSealed: counts.batchesSealed, batchesAcknowledged: counts.batchesAcknowledged,
            batchesSent: counts.batchesSent, bytesSent: counts.bytesSent, batchesRefused: devices.reduce(0) { $0 + $1.batchesRefused },
            seconds: Double(endedAt - startedAt) / 1000)
    }
}

/// A plan that cannot be carried out.
struct FleetError: Error, CustomStringConvertible {
    let reason: String
    var description: String { reason }
}
