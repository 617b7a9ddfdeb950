import CPostgres
import Glibc
import LinuxDriver

/// One connection to one server, used from one thread at a time; calls block. `PostgresSession` puts it on a thread of its own.
///
/// libpq is driven without blocking in it: every wait is a poll(2) that a time-out or an `Interrupt` ends.
package final class PostgresConnection {
    let handle: OpaquePointer
    let options: PostgresOptions
    let statements = PreparedStatements()
    /// Parameters and rows on their way to the server.
    let buffer = WireBuffer()
    /// Who may say that the answer is not wanted any more.
    package var interrupt: Interrupt?
    private let wakeUp: WakeUp
    private let notices: NoticeReceiver
    private var watch = AnswerWatch(deadline: nil, graceMilliseconds: 0)
    /// When what goes on began; milliseconds since the start of the machine.
    private var askedAt: Int64 = 0
    private var hasSentCancel = false
    /// In place of the options' times, while it is set.
    private var patience: Patience?
    private var isGivenUp = false

    package convenience init(_ options: PostgresOptions) throws(PostgresError) {
        try self.init(options, wakeUp: Self.makeWakeUp(), interrupt: nil)
    }

    init(_ options: PostgresOptions, wakeUp: WakeUp, interrupt: Interrupt?) throws(PostgresError) {
        handle = try ConnectionAttempt(options: options, wakeUp: wakeUp, interrupt: interrupt).open()
        self.options = options
        self.wakeUp = wakeUp
        self.interrupt = interrupt
        notices = NoticeReceiver(options.onNotice)
        notices.attach(to: handle)
        PQsetnonblocking(handle, 1)
    }

    deinit { PQfinish(handle) }

    static func makeWakeUp() throws(PostgresError) -> WakeUp {
        do throws(SystemError) { return try WakeUp() } catch { throw PostgresError(.resources, operation: "connect", detail: error.description) }
    }

    // MARK: State

    /// E.g. 150018.
    package var serverVersion: Int { Int(PQserverVersion(handle)) }
    /// The server's process, as pg_stat_activity names it.
    package var processId: Int32 { PQbackendPID(handle) }
    package var usesTLS: Bool { PQsslInUse(handle) == 1 }
    package var isInTransaction: Bool { PQtransactionStatus(handle) != PQTRANS_IDLE }

    /// Whether the next statement has a chance: connected, and nothing half done.
    package var isUsable: Bool { isConnected && PQtransactionStatus(handle) == PQTRANS_IDLE }

    /// What may come unasked, in reads: some notices, then the end.
    private static let farewellReadsMax = 16

    /// Not broken, and the server has not hung up, as far as it can be known without asking. Costs one poll(2).
    package var isConnected: Bool {
        guard !isGivenUp, PQstatus(handle) == CONNECTION_OK else { return false }
        for _ in 0..<Self.farewellReadsMax {
            guard SocketWait.isReady(PQsocket(handle), POLLIN, wakeUp: wakeUp, milliseconds: 0) else { return true }
            // Something came unasked: a notice, or the server's farewell, whose words may be read before the end behind them is seen.
            guard PQconsumeInput(handle) == 1, PQstatus(handle) == CONNECTION_OK, PQisBusy(handle) == 0 else { return false }
        }
        return false
    }

    /// Asks the server for a sign of life.
    package func check() throws(PostgresError) { try execute("") }

    // MARK: Waiting

    /// Every exchange with the server runs in here: with its deadline, and with cancels kept to it.
    /// - Parameter mayCancel: false where the server's answer to a cancel could be taken for success.
    func exchange<Result>(
        _ operation: String, mayCancel: Bool = true, _ body: () throws(PostgresError) -> Result
    ) throws(PostgresError) -> Result {
        guard !isGivenUp else { throw disconnected(operation) }
        if interrupt?.isRequested == true { throw PostgresError(.cancelled, operation: operation, detail: "nobody waits for it any more") }
        askedAt = Clock.system.boot()
        watch = AnswerWatch(
            deadline: deadline, graceMilliseconds: (patience?.grace ?? options.grace).inMilliseconds,
            interruptGraceMilliseconds: options.interruptGrace.inMilliseconds, mayCancel: mayCancel)
        hasSentCancel = false
        do throws(PostgresError) {
            let result = try body()
            if hasSentCancel { try swallowLateCancel() }
            return result
        } catch {
            if hasSentCancel, !isGivenUp, error.sqlState != "57014" { try? swallowLateCancel() }
            throw watch.cause == .interrupt && error.sqlState == "57014" ? error.as(.cancelled) : error
        }
    }

    private struct Patience {
        let answer: Duration
        let grace: Duration
    }

    /// Runs `body` with less patience than the options have: for what any server that is well answers at once.
    /// - Parameters:
    ///   - answer: how long each of its statements may take.
    ///   - grace: how long after it, and after a cancel, before the connection is given up.
    package func hurried<Result>(
        answer: Duration, grace: Duration, _ body: (PostgresConnection) throws(PostgresError) -> Result
    ) throws(PostgresError) -> Result {
        patience = Patience(answer: answer, grace: grace)
        defer { patience = nil }
        return try body(self)
    }

    /// Of what begins now.
    private var deadline: Int64? {
        let timeout = (patience?.answer ?? options.answerTimeout).inMilliseconds
        return timeout == 0 ? nil : Clock.system.boot() + timeout
    }

    /// A command of several is done: the server gives the next one its own time, and so do we.
    func renewDeadline() {
        askedAt = Clock.system.boot()
        watch.renew(deadline: deadline)
    }

    /// The work was over before the cancel reached it. Whatever comes of the cancel must not hit the next statement.
    private func swallowLateCancel() throws(PostgresError) {
        guard PQsendQuery(handle, "SELECT 1") == 1 else { throw disconnected("end a cancel") }
        try flush("end a cancel")
        while try nextResult("end a cancel") != nil {}
    }

    /// The next result of what was sent; nil at the end.
    func nextResult(_ operation: String) throws(PostgresError) -> PostgresResult? {
        // "PQisBusy will not itself attempt to read data from the server; therefore PQconsumeInput must be invoked first".
        while PQisBusy(handle) == 1 {
            try wait(for: POLLIN, operation)
            try consume(operation)
        }
        return PQgetResult(handle).map(PostgresResult.init(takingOwnership:))
    }

    /// Sends all that libpq has queued.
    func flush(_ operation: String) throws(PostgresError) {
        while true {
            switch PQflush(handle) {
            case 0: return
            case 1:
                // "Wait for the socket to become read- or write-ready. … If it becomes read-ready, call PQconsumeInput, then call PQflush again":
                // a server that cannot get rid of its notices would never read on.
                try wait(for: POLLIN | POLLOUT, operation)
                try consume(operation)
            default: throw disconnected(operation)
            }
        }
    }

    func consume(_ operation: String) throws(PostgresError) {
        guard PQconsumeInput(handle) == 1 else { throw disconnected(operation) }
    }

    /// Waits until the socket is ready, sees to deadline and interrupt on the way.
    func wait(for events: Int32, _ operation: String) throws(PostgresError) {
        while true {
            let milliseconds = try seeToWatch(operation)
            if events & POLLIN != 0, farwatch_has_pending_tls(handle) == 1 { return }
            if SocketWait.isReady(PQsocket(handle), events, wakeUp: wakeUp, milliseconds: milliseconds) { return }
        }
    }

    /// Cancels or gives up when it is time to. To be called in every loop that may go on without waiting.
    /// - Returns: how long may be waited now, in milliseconds.
    @discardableResult
    func seeToWatch(_ operation: String) throws(PostgresError) -> Int32 {
        while true {
            switch watch.next(at: Clock.system.boot(), isInterrupted: interrupt?.isRequested ?? false) {
            case .cancel: cancel()
            case .wait(let milliseconds): return milliseconds
            case .giveUp:
                isGivenUp = true
                let reason: PostgresErrorReason = watch.cause == .interrupt ? .cancelled : .timedOut
                throw PostgresError(reason, operation: operation, detail: "the server has not answered for " + waited)
            }
        }
    }

    /// How long the server has been waited for.
    private var waited: String {
        let milliseconds = Clock.system.boot() - askedAt
        return milliseconds < 1_000 ? "\(milliseconds) ms" : "\(milliseconds / 1_000) s"
    }

    /// Whether the server was asked to cancel what is going on: by the deadline, or by an interrupt.
    var isCancelled: Bool { watch.cause != nil }
    var isInterrupted: Bool { watch.cause == .interrupt }

    /// Asks the server to end what is going on, over a connection of its own. A failure is left to the deadline that follows. A connection whose cancel may
    /// come at any later time is of no use any more.
    func cancel() {
        hasSentCancel = true
        if !CancelRequest.send(for: handle, within: watch.cancelMilliseconds) { isGivenUp = true }
    }

    /// The server's last warning since this was asked before.
    func takeWarning() -> PostgresNotice? { notices.takeWarning() }

    // MARK: Errors

    /// For statements whose exchange cannot be brought to an end: the connection is of no use after it.
    func giveUp() { isGivenUp = true }

    func disconnected(_ operation: String) -> PostgresError {
        isGivenUp = true
        let message = PostgresDetail.ofConnection(String(cString: PQerrorMessage(handle)))
        return PostgresError(.disconnected, operation: operation, detail: message.isEmpty ? "the connection is closed" : message)
    }
}

extension PostgresError {
    /// The same, for another reason or another operation.
    func `as`(_ reason: PostgresErrorReason? = nil, operation: String? = nil) -> PostgresError {
        PostgresError(
            reason ?? self.reason, operation: operation ?? self.operation, sqlState: sqlState, detail: detail, constraint: constraint,
            copyRow: copyRow)
    }
}
