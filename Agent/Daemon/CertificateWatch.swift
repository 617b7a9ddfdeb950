import AgentCertificates
import CertificateInspection
import LinuxDriver
import Telemetry

/// Looks at the configured certificates on a schedule, a few entries a turn of the loop, and hands over the reports.
final class CertificateWatch {
    /// Entries looked at in one turn: a few milliseconds of work on a small board.
    private static let stepBudget = 8
    /// Problems of one scan that are logged; the report has them all.
    private static let loggedMax = 20
    /// Between two turns of a scan, in milliseconds.
    private static let stepInterval: Int64 = 5
    /// With a clock that is not set yet, dates mean nothing; until it is, the scan waits this long and looks again.
    private static let clockInterval: Int64 = 10_000

    private let paths: [String]
    private let trust: TrustSources
    private let profiles: ProfilePaths
    private let passwordFile: String?
    private let interval: Int64
    private let device: DeviceId
    private let loop: EventLoop
    private let clock: Clock
    private let deliver: (String) -> Void
    private var memory = ScanMemory()
    private var timer: EventLoop.TimerId?
    /// Of the last scan: for the status.
    private(set) var certificates = 0
    private(set) var problems: [String] = []
    private let log: Log

    init(_ settings: AgentSettings, device: DeviceId, loop: EventLoop, clock: Clock, log: Log, deliver: @escaping (String) -> Void) {
        paths = settings.certificatePaths
        trust = settings.certificateTrust
        profiles = settings.certificateProfiles
        passwordFile = settings.certificatePasswordFile
        interval = settings.certificateInterval
        self.device = device
        self.loop = loop
        self.clock = clock
        self.log = log
        self.deliver = deliver
    }

    func start() {
        guard !paths.isEmpty else { return }
        begin()
    }

    func stop() {
        if let timer { loop.cancel(timer) }
        timer = nil
    }

    private func begin() {
        let now = clock.wall()
        guard now >= Clock.plausibleWallMin else {
            timer = loop.after(Self.clockInterval) { [self] in begin() }
            return
        }
        // Read anew for each scan: nothing keeps a password between two.
        let passwords = passwordFile.flatMap { try? PasswordFile.read($0) } ?? []
        go(
            on: CertificateScanner(
                paths: paths, trust: trust, profiles: profiles, passwords: passwords, at: now, clockIsTrustworthy: true, earlier: memory), at: now)
    }

    /// Says what is wrong when it is not what was wrong the last time.
    private func note(_ found: [String]) {
        for problem in found.prefix(Self.loggedMax) where !problems.contains(problem) {
            log(.warning, "a certificate path has a problem", ("problem", problem))
        }
        problems = found
    }

    private func go(on scanner: CertificateScanner, at now: Int64) {
        var scanner = scanner
        guard scanner.step(budget: Self.stepBudget) else {
            timer = loop.after(Self.stepInterval) { [self] in go(on: scanner, at: now) }
            return
        }
        memory = scanner.memory
        certificates = scanner.recordsCount
        note(scanner.problems.map { $0.path + ": " + $0.text })
        CertificateReport.forEachDocument(
            records: scanner.records, problems: scanner.problems, device: device, at: now, clockIsTrustworthy: true, deliver)
        // Once more at the next turn, when this scan's records are gone.
        loop.after(0) { FreedMemory.giveBack() }
        timer = loop.after(interval) { [self] in begin() }
    }
}
