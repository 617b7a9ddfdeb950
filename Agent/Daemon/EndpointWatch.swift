import AgentCertificates
import CertificateInspection
import LinuxDriver

/// Looks at the configured endpoints, by this program in a process of its own: a server that keeps it waiting holds nothing up, and what it
/// sends is read by nobody who has anything to lose.
final class EndpointWatch {
    /// A process that takes longer is ended; what it printed until then counts. Endpoints that take all their time are looked at four a minute.
    private static let processMilliseconds: Int64 = 300_000
    private static let outputBytesMax = 256 * 1024
    private static let readBytes = 16 * 1024

    private let settings: AgentSettings
    private let loop: EventLoop
    private let log: Log
    private var process: ChildProcess?
    private var timer: EventLoop.TimerId?
    private var output: [UInt8] = []
    private var done: ((EndpointReport) -> Void)?

    init(_ settings: AgentSettings, loop: EventLoop, log: Log) {
        self.settings = settings
        self.loop = loop
        self.log = log
    }

    /// Calls `done` with what there is to report, at once where no endpoints are configured.
    func look(_ done: @escaping (EndpointReport) -> Void) {
        guard !settings.certificateEndpoints.isEmpty, process == nil else { return done(EndpointReport()) }
        do throws(SystemError) {
            let process = try ChildProcess(arguments: ["certs", "--endpoints"] + (settings.file.map { ["--config", $0] } ?? []))
            self.process = process
            self.done = done
            try loop.watch(process.output, .readable) { [self] _ in read() }
            timer = loop.after(Self.processMilliseconds) { [self] in finish() }
        } catch {
            log(.warning, "endpoints could not be looked at", ("error", error.description))
            process = nil
            done(EndpointReport())
        }
    }

    func stop() {
        done = nil
        finish()
    }

    private func read() {
        guard let bytes = process?.read(max: Self.readBytes) else { return finish() }
        // What is beyond is read all the same, so that the process comes to its end.
        output += bytes.prefix(max(0, Self.outputBytesMax - output.count))
    }

    private func finish() {
        guard let ended = process else { return }
        process = nil
        loop.unwatch(ended.output)
        ended.end()
        if let timer { loop.cancel(timer) }
        timer = nil
        let report = EndpointReport(output)
        output = []
        let done = done
        self.done = nil
        done?(report)
    }
}
