import PostgresDriver
import Testing

@Suite struct ErrorTests {
    @Test(arguments: [
        ("40001", PostgresErrorReason.conflict, true), ("40P01", .conflict, true), ("57014", .timedOut, true), ("53100", .diskFull, true),
        ("53300", .tooManyConnections, true), ("53200", .resources, true), ("57P01", .disconnected, true), ("57P03", .notReady, true),
        ("08006", .disconnected, true), ("25006", .readOnly, true), ("55P03", .locked, true), ("28P01", .authentication, false),
        ("3D000", .configuration, false), ("23505", .constraint, false), ("22003", .data, false), ("42P01", .statement, false),
        ("42501", .permission, false), ("25P02", .transactionAborted, false), ("0A000", .statement, false), ("XX000", .failed, false),
        ("", .failed, false),
    ])
    func `a code of the server's has one reason, and the reason decides whether to try again`(
        _ code: String, _ reason: PostgresErrorReason, _ isTransient: Bool
    ) {
        #expect(PostgresErrorReason(sqlState: code) == reason)
        #expect(reason.isTransient == isTransient)
    }

    @Test(arguments: [
        (PostgresErrorReason.timedOut, "SELECT device, number FROM devices", nil, "x", "x"),
        (.timedOut, "run command 1 of a pipeline, SELECT 1", "57014", "x", "x (timed_out, SQLSTATE 57014)"),
        (.readOnly, "copy out COPY devices", "25006", "x", "the database is read-only (a standby, or default_transaction_read_only)"),
        (.unreachable, "connect", nil, "x", "PostgreSQL cannot connect (unreachable): x"),
        (.permission, "add TimescaleDB to the database", nil, "x", "PostgreSQL cannot add TimescaleDB to the database (permission): x"),
    ])
    func `a complaint is without the statement`(
        _ reason: PostgresErrorReason, _ operation: String, _ sqlState: String?, _ detail: String, _ expected: String
    ) {
        #expect(PostgresError(reason, operation: operation, sqlState: sqlState, detail: detail).complaint == expected)
    }

    @Test func `a message about a value does not tell the value`() {
        let message = #"invalid input syntax for type integer: "4711 secret "quoted" part""#
        #expect(PostgresDetail.clean(message, sqlState: "22P02") == #"invalid input syntax for type integer: "…""#)
        #expect(PostgresDetail.clean(#"relation "devices" does not exist"#, sqlState: "42P01") == #"relation "devices" does not exist"#)
        #expect(PostgresDetail.clean(String(repeating: "a", count: 9_000), sqlState: nil).count == PostgresDetail.charactersMax + 1)
    }

    @Test func `the code is found in what libpq tells of a refused connection`() {
        let message = """
            connection to server at "127.0.0.1", port 15432 failed: FATAL:  28P01: password authentication failed for user "x"
            LOCATION:  auth_failed, auth.c:335
            """
        #expect(PostgresDetail.sqlState(inConnectionMessage: message) == "28P01")
        #expect(!PostgresDetail.ofConnection(message).contains("auth.c"))
        #expect(PostgresDetail.sqlState(inConnectionMessage: #"connection to server at "::1", port 5432 failed: Connection refused"#) == nil)
    }

    @Test(arguments: [
        ("COPY rows, line 12", 12), ("COPY rows, line 3, column at", 3), ("COPY rows, Zeile 7, Spalte at", 7),
        ("SQL function f\nCOPY rows, line 9", 9),
        ("COPY other, line 5", nil), ("COPY rows", nil), ("", nil),
    ])
    func `the row of a failed COPY is read from the context`(_ context: String, _ row: Int?) {
        #expect(PostgresDetail.copyRow(inContext: context, table: "rows") == row)
    }
}

@Suite struct AnswerWatchTests {
    @Test func `an answer that is late is cancelled at the deadline, and given up after the grace`() {
        var watch = AnswerWatch(deadline: 1_000, graceMilliseconds: 500)
        #expect(watch.next(at: 0, isInterrupted: false) == .wait(milliseconds: 1_000))
        #expect(watch.next(at: 999, isInterrupted: false) == .wait(milliseconds: 1))
        #expect(watch.next(at: 1_000, isInterrupted: false) == .cancel(.timeout))
        #expect(watch.next(at: 1_100, isInterrupted: false) == .wait(milliseconds: 400))
        #expect(watch.next(at: 1_500, isInterrupted: false) == .giveUp)
        #expect(watch.cause == .timeout)
    }

    @Test func `what may not be cancelled is given up after the deadline and the grace`() {
        var watch = AnswerWatch(deadline: 1_000, graceMilliseconds: 500, mayCancel: false)
        #expect(watch.next(at: 0, isInterrupted: true) == .wait(milliseconds: 500))
        #expect(watch.next(at: 499, isInterrupted: true) == .wait(milliseconds: 1))
        #expect(watch.next(at: 500, isInterrupted: true) == .giveUp)
        #expect(watch.cause == .interrupt)
    }

    @Test func `what comes after something finished has a time of its own, unless it was cancelled`() {
        var watch = AnswerWatch(deadline: 1_000, graceMilliseconds: 500)
        watch.renew(deadline: 1_900)
        #expect(watch.next(at: 1_000, isInterrupted: false) == .wait(milliseconds: 900))
        #expect(watch.next(at: 1_900, isInterrupted: false) == .cancel(.timeout))
        watch.renew(deadline: 9_000)
        #expect(watch.next(at: 2_400, isInterrupted: false) == .giveUp)
    }

    @Test func `what nobody wants any more is waited for less long, also when it was late already`() {
        var watch = AnswerWatch(deadline: 1_000, graceMilliseconds: 5_000, interruptGraceMilliseconds: 2_000)
        #expect(watch.next(at: 100, isInterrupted: true) == .cancel(.interrupt))
        #expect(watch.next(at: 200, isInterrupted: true) == .wait(milliseconds: 1_900))
        #expect(watch.next(at: 2_100, isInterrupted: true) == .giveUp)
        var late = AnswerWatch(deadline: 1_000, graceMilliseconds: 5_000, interruptGraceMilliseconds: 2_000)
        #expect(late.next(at: 1_000, isInterrupted: false) == .cancel(.timeout))
        #expect(late.next(at: 2_000, isInterrupted: true) == .wait(milliseconds: 2_000))
        #expect(late.next(at: 3_000, isInterrupted: true) == .wait(milliseconds: 1_000))
        #expect(late.next(at: 4_000, isInterrupted: true) == .giveUp)
    }

    @Test func `an interrupt cancels once, at once`() {
        var watch = AnswerWatch(deadline: nil, graceMilliseconds: 500)
        #expect(watch.next(at: 0, isInterrupted: false) == .wait(milliseconds: -1))
        #expect(watch.next(at: 10, isInterrupted: true) == .cancel(.interrupt))
        #expect(watch.next(at: 20, isInterrupted: true) == .wait(milliseconds: 490))
    }
}
