import AgentCertificates
import CertificateInspection
import LinuxDriver
import Telemetry

/// Looks at the configured certificates on a schedule and when a directory of theirs has changed, a few entries a turn of the loop, and hands
/// over the reports.
final class CertificateWatch {
    /// Entries looked at in one turn: a few milliseconds of work on a small board.
    private static let stepBudget = 8
    /// Problems of one scan that are logged; the report has them all.
    private static let loggedMax = 20
    /// Between two turns of a scan, in milliseconds.
    private static let stepInterval: Int64 = 5
    /// With a clock that is not set yet, dates mean nothing; until it is, the scan waits this long and looks again.
    private static let clockInterval: Int64 = 10_000

    /// After a change, for the ones that come with it: a certificate and its key are two files.
    private static let settleInterval: Int64 = 500
    /// Between two scans, however often something changes.
    private static let restInterval: Int64 = 5_000

    private let settings: AgentSettings
    private let endpoints: EndpointWatch
    private let device: DeviceId
    private let loop: EventLoop
    private let clock: Clock
    private let deliver: (String) -> Void
    private var memory = ScanMemory()
    private var timer: EventLoop.TimerId?
    private var changes: DirectoryWatch?
    /// A scan is under way, or endpoints are looked at.
    private var isBusy = false
    private var hasChanged = false
    /// When the last scan ended, on the boot clock.
    private var endedAt: Int64?
    /// Of the last scan: for the status.
    private(set) var certificates = 0
    private(set) var problems: [String] = []
    private let log: Log

    init(_ settings: AgentSettings, device: DeviceId, loop: EventLoop, clock: Clock, log: Log, deliver: @escaping (String) -> Void) {
        self.settings = settings
        endpoints = EndpointWatch(settings, loop: loop, log: log)
        self.device = device
        self.loop = loop
        self.clock = clock
        self.log = log
        self.deliver = deliver
    }

    func start() {
        guard !settings.certificatePaths.isEmpty || settings.certificatesAreDiscovered || !settings.certificateEndpoints.isEmpty else { return }
        begin()
    }

    func stop() {
        if let timer { loop.cancel(timer) }
        timer = nil
        endpoints.stop()
        watchNothing()
    }

    // MARK: A scan

    private func begin() {
        let now = clock.wall()
        guard now >= Clock.plausibleWallMin else { return schedule(after: Self.clockInterval) }
        isBusy = true
        hasChanged = false
        // Before the first look: whatever changes from here on is noticed.
        watch()
        var paths = settings.certificatePaths
        var trust = settings.certificateTrust
        var pairs: [NamedPair] = []
        if settings.certificatesAreDiscovered {
            let programs = ProgramFiles()
            paths += KnownPlaces.present() + programs.paths
            trust.revocationLists += programs.revocationLists
            pairs = programs.pairs
            for directory in programs.directories { changes?.add(directory) }
        }
        // Read anew for each scan: nothing keeps a password between two.
        let passwords = settings.certificatePasswordFile.flatMap { try? PasswordFile.read($0) } ?? []
        var scanner = CertificateScanner(
            paths: paths, trust: trust, profiles: settings.certificateProfiles, passwords: passwords, at: now, clockIsTrustworthy: true,
            earlier: memory)
        scanner.namedPairs = pairs
        endpoints.look { [self, scanner] served in go(on: scanner, with: served, at: now) }
    }

    private func schedule(after interval: Int64) {
        if let timer { loop.cancel(timer) }
        timer = loop.after(interval) { [self] in begin() }
    }

    private func go(on scanner: CertificateScanner, with served: EndpointReport, at now: Int64) {
        var scanner = scanner
        let isFinished = scanner.step(budget: Self.stepBudget)
        for directory in scanner.takeDirectories() { changes?.add(directory) }
        guard isFinished else {
            timer = loop.after(Self.stepInterval) { [self] in go(on: scanner, with: served, at: now) }
            return
        }
        memory = scanner.memory
        certificates = scanner.recordsCount + served.certificates.count
        note((scanner.problems + served.problems).map { $0.path + ": " + $0.text })
        let records = scanner.records
        CertificateReport.forEachDocument(
            records: records, issuers: scanner.issuers, served: served, problems: scanner.problems, keys: scanner.bareKeys(beside: records),
            device: device, at: now, clockIsTrustworthy: true, deliver)
        // Once more at the next turn, when this scan's records are gone.
        loop.after(0) { FreedMemory.giveBack() }
        isBusy = false
        endedAt = clock.boot()
        schedule(after: hasChanged ? Self.restInterval : settings.certificateInterval)
    }

    // MARK: Changes

    private func watch() {
        watchNothing()
        guard let changes = try? DirectoryWatch() else { return }
        do throws(SystemError) { try loop.watch(changes.fd, .readable) { [self] _ in noticeChange() } } catch { return }
        self.changes = changes
    }

    private func watchNothing() {
        if let changes { loop.unwatch(changes.fd) }
        changes = nil
    }

    private func noticeChange() {
        guard changes?.drain() == true, !hasChanged else { return }
        hasChanged = true
        guard !isBusy, let endedAt else { return }
        schedule(after: max(Self.settleInterval, endedAt + Self.restInterval - clock.boot()))
    }

    /// Says what is wrong when it is not what was wrong the last time.
    private func note(_ found: [String]) {
        for problem in found.prefix(Self.loggedMax) where !problems.contains(problem) {
            log(.warning, "a certificate path has a problem", ("problem", problem))
        }
        problems = found
    }
}
