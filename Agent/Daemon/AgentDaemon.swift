import AgentBuffer
import AgentSampling
import AgentSync
import LinuxDriver
import MQTTDriver
import Settings
import Telemetry

/// The running agent: one thread, one loop. Samples into the buffer, seals, sends, and answers `status`.
package final class AgentDaemon {
    /// What a stopping agent allows itself to get its last batch acknowledged, in milliseconds.
    private static let farewellMax: Int64 = 2_000
    /// Between two looks at a clock that is not set, and before a seal that failed is tried again, in milliseconds.
    private static let lookInterval: Int64 = 1_000

    private let settings: AgentSettings
    private let log: Log
    private let clock = Clock.system
    private let loop: EventLoop
    private let signals: Signals
    private let manager = ServiceManager()
    private let buffer: Buffer
    private let link: DeviceLink
    private let sampler = Sampler()
    private let probe: LatencyProbe
    private var certificates: CertificateWatch?
    private var schedule: TickSchedule
    private var readings: [Reading] = []
    private let startedAt: Int64
    private var ticks: Int64 = 0
    private var statusListener: Int32 = -1
    private var news: DaemonNews
    private var isStopping = false
    private var hasToldFacts = false
    /// What the buffer said last when it failed: for the status.
    private var lastFailure: String?
    /// Not before the agent has begun: a target's name is looked up, which may take its time.
    private var nextProbe = Int64.max
    private var lookTimer: EventLoop.TimerId?

    /// Opens the buffer and prepares everything; nothing runs yet.
    package init(_ settings: AgentSettings, device: DeviceId) throws(AgentError) {
        self.settings = settings
        let log = Log(minimum: settings.logLevel)
        self.log = log
        // resolv.conf(5): one try of two seconds a name server, so that a dead one cannot hold up the loop for long.
        Environment.set("RES_OPTIONS", "timeout:2 attempts:1", replacing: false)
        Signals.ignorePipe()
        do throws(SystemError) {
            signals = try Signals([Signals.terminate, Signals.interrupt, Signals.hangUp])
            loop = try EventLoop()
        } catch {
            throw .system(error)
        }
        do throws(BufferError) {
            buffer = try Buffer(path: settings.bufferPath, device: device, limits: settings.bufferLimits)
        } catch {
            throw .buffer(error)
        }
        do throws(SamplingError) {
            probe = try LatencyProbe(targets: settings.latencyTargets, loop: loop) { target in
                log(.notice, "the kernel refuses this latency probe; it is left out", ("target", target.text))
            }
        } catch {
            throw .sampling(error)
        }
        link = DeviceLink(buffer: buffer, broker: settings.broker, limits: settings.syncLimits, on: loop)
        news = DaemonNews(log: log, device: buffer.device, broker: settings.broker)
        schedule = TickSchedule(interval: settings.samplingInterval, boot: clock.boot())
        startedAt = clock.wall()
    }

    /// Runs until SIGTERM or SIGINT, then seals, sends what it can in two seconds, and returns.
    package func run() throws(AgentError) {
        log(.info, "started", ("version", FarwatchVersion.text), ("device", buffer.device.text), ("buffer", buffer.path))
        news.opened(buffer)
        do throws(SystemError) {
            try loop.watch(signals.fd, .readable) { [self] _ in takeSignals() }
            listenForStatus()
            tick()
            keepWatchdog()
            manager.ready()
            // When the first tick is taken and whoever asked for the status has it: nothing that takes longer keeps them waiting.
            loop.after(0) { [self] in begin() }
            try loop.run()
        } catch {
            throw .system(error)
        }
        if statusListener >= 0 { UnixSocket.remove(settings.statusSocket, statusListener) }
        news.ended(buffer)
    }

    private func begin() {
        guard !isStopping else { return }
        nextProbe = 0
        link.start { [self] in note($0) }
        look()
        let certificates = CertificateWatch(settings, device: buffer.device, loop: loop, clock: clock, log: log) { [self] in
            deliver(.document, $0)
        }
        self.certificates = certificates
        certificates.start()
    }

    // MARK: Sampling and sealing

    private func tick() {
        guard !isStopping else { return }
        let boot = clock.boot()
        let at = schedule.tick(boot: boot, wall: clock.wall())
        readings.removeAll(keepingCapacity: true)
        probe.collect(into: &readings)
        sampler.sample(into: &readings)
        take(Tick(at: at, readings: readings))
        ticks += 1
        if boot >= nextProbe {
            probe.start(boot)
            // Half a tick early counts as due, so that equal intervals keep step.
            nextProbe = boot + settings.latencyInterval - settings.samplingInterval / 2
        }
        loop.after(schedule.delay(boot: clock.boot())) { [self] in
            tick()
            look()
        }
    }

    /// Puts a tick into the buffer; one that finds no room is counted, and told of when there is room again.
    private func take(_ tick: Tick) {
        do throws(BufferError) {
            try buffer.append(tick)
        } catch {
            buffer.lose(tick)
            return handle(error)
        }
        attempt { () throws(BufferError) in
            // One that finds no room is tried again with the next tick.
            guard try buffer.tellUnwritten() else { return }
            log(.notice, "the buffer takes samples again", ("lost_ticks", String(buffer.unwrittenTicks)))
        }
    }

    /// Sees to what time alone brings about: with each tick, so that it takes no waking up of its own, and between two where one falls due.
    private func look() {
        guard !isStopping else { return }
        news.damaged(batches: buffer.damagedBatches, now: clock.boot())
        news.clock(isSet: isClockSet)
        // Nothing with a wrong year leaves the device: the facts wait until the clock is set.
        if !hasToldFacts, isClockSet {
            hasToldFacts = true
            deliver(.document, factsDocument())
        }
        if buffer.isSealDue { seal() }
        lookAgain()
    }

    private func lookAgain() {
        if let lookTimer { loop.cancel(lookTimer) }
        lookTimer = nil
        let dueIn = isClockSet ? buffer.sealDueIn : Self.lookInterval
        guard let dueIn, dueIn < schedule.delay(boot: clock.boot()) else { return }
        lookTimer = loop.after(dueIn > 0 ? dueIn : Self.lookInterval) { [self] in look() }
    }

    private var isClockSet: Bool { clock.wall() >= Clock.plausibleWallMin }

    private func seal() {
        attempt { () throws(BufferError) in if let sequence = try buffer.seal(goingOut: link.isConnected) { link.sealed(sequence) } }
    }

    private func deliver(_ kind: BatchKind, _ json: String) {
        attempt { () throws(BufferError) in link.sealed(try buffer.append(kind, json: json, goingOut: link.isConnected)) }
    }

    /// Does what may fail when the disk does; the agent goes on, and says so once in a while.
    private func attempt(_ work: () throws(BufferError) -> Void) {
        do throws(BufferError) { try work() } catch { handle(error) }
    }

    private func handle(_ error: BufferError) {
        if error.reason == .damaged { beginAnew(error.description) }
        lastFailure = error.description
        news.complain("the buffer could not be written", error.description, now: clock.boot())
    }

    /// A buffer that turns out to be damaged is put aside when it is opened next: now, by beginning this program anew in its process.
    private func beginAnew(_ reason: String) {
        // One that is stopping stops; the next start finds the note.
        guard buffer.condemn(), !isStopping else { return }
        log(.error, "the buffer is damaged; the agent begins anew with another", ("error", reason))
        if statusListener >= 0 { UnixSocket.remove(settings.statusSocket, statusListener) }
        Environment.restart()
    }

    // MARK: Documents

    private func factsDocument() -> String {
        var writer = JSONWriter()
        writer.object { json in
            json.string("type", "device_facts")
            json.string("at", Timestamp.text(clock.wall()))
            json.raw("facts", DeviceFacts().json(agentVersion: FarwatchVersion.text))
        }
        return writer.text
    }

    // MARK: The connection

    private func note(_ report: DeviceLink.Report) {
        switch report {
        case .connected: news.connected()
        case .disconnected(let reason, let retryIn):
            news.takenOver(surely: link.takeovers, likely: link.likelyTakeovers)
            news.disconnected(reason, retryIn: retryIn)
        case .refused(let run, let reason):
            log(.error, "the collector refused a batch; it keeps it in quarantine", ("sequence", String(run.first)), ("reason", reason))
        case .unreadable(let reason): log(.error, "the collector could not read a message from here", ("reason", reason))
        case .unanswered: news.unanswered(now: clock.boot())
        case .acknowledged, .drained: break
        case .failed(let text): news.complain("sync failed for now", text, now: clock.boot())
        case .damaged(let text): beginAnew(text)
        }
        if isStopping, case .drained = report { finish() }
    }

    // MARK: The service manager and status

    private func keepWatchdog() {
        guard let interval = manager.watchdogInterval else { return }
        manager.alive()
        loop.after(interval) { [self] in keepWatchdog() }
    }

    private func listenForStatus() {
        let path = settings.statusSocket
        do throws(SystemError) {
            if let slash = path.lastIndex(of: "/") { try SmallFile.makeDirectories(String(path[..<slash])) }
            let listener = try UnixSocket.listen(path)
            statusListener = listener
            try loop.watch(listener, .readable) { [self] _ in UnixSocket.answer(listener, with: statusJSON() + "\n") }
        } catch {
            log(.warning, "no status socket; `farwatch-agent status` will read the buffer only", ("error", error.description))
        }
    }

    private func statusJSON() -> String {
        AgentStatus(
            device: buffer.device, version: FarwatchVersion.text, startedAt: startedAt, isConnected: link.isConnected,
            broker: settings.broker.host + ":" + String(settings.broker.port), failure: news.connectionFailure, takeovers: Int64(link.takeovers),
            likelyTakeovers: Int64(link.likelyTakeovers), isClockSet: isClockSet, ticks: ticks, counts: link.counts, sync: link.status,
            certificates: certificates?.certificates ?? 0,
            certificateProblems: certificates?.problems ?? [], lostTicks: buffer.unwrittenTicks, lastFailure: lastFailure,
            buffer: try? buffer.status(), memoryReason: buffer.memoryReason
        ).json
    }

    // MARK: Stopping

    private func takeSignals() {
        while let number = signals.next() {
            // A hang-up seals: for people who want to see their samples now.
            if number == Signals.hangUp { seal() } else { beginStopping() }
        }
    }

    private func beginStopping() {
        guard !isStopping else { return loop.stop() }
        manager.stopping()
        seal()
        isStopping = true
        certificates?.stop()
        probe.stop()
        if !link.isConnected || link.isDrained {
            finish()
        } else {
            loop.after(Self.farewellMax) { [self] in finish() }
        }
    }

    private func finish() {
        loop.stop()
        link.stop()
    }
}
