import CPostgres
import Glibc
import LinuxDriver

/// Opens a connection without blocking in libpq, so that it can be interrupted and each address has its own time.
struct ConnectionAttempt {
    /// Older servers lack multiranges.
    static let serverVersionMin: Int32 = 140_000

    let options: PostgresOptions
    let wakeUp: WakeUp
    let interrupt: Interrupt?

    /// The first address that takes us; the last one's error when none does.
    func open() throws(PostgresError) -> OpaquePointer {
        var failure = PostgresError(.configuration, operation: "connect", detail: "no address")
        for keywords in options.attempts() {
            do throws(PostgresError) { return try open(keywords) } catch {
                failure = error
                if error.reason == .cancelled { break }
            }
        }
        throw failure
    }

    private func open(_ keywords: [String: String]) throws(PostgresError) -> OpaquePointer {
        guard let connection = start(keywords) else { throw PostgresError(.resources, operation: "connect", detail: "out of memory") }
        do throws(PostgresError) {
            // libpq keeps the server's error as text only; with this verbosity the text has the code in it.
            PQsetErrorVerbosity(connection, PQERRORS_VERBOSE)
            try complete(connection)
            PQsetErrorVerbosity(connection, PQERRORS_DEFAULT)
            try checkVersion(connection)
            return connection
        } catch {
            PQfinish(connection)
            throw error
        }
    }

    private func start(_ keywords: [String: String]) -> OpaquePointer? {
        let pairs = keywords.map { (strdup($0.key), strdup($0.value)) }
        defer { for (keyword, value) in pairs { free(keyword); free(value) } }
        let names = pairs.map { UnsafePointer($0.0) } + [nil]
        let values = pairs.map { UnsafePointer($0.1) } + [nil]
        return PQconnectStartParams(names, values, 0)
    }

    private func complete(_ connection: OpaquePointer) throws(PostgresError) {
        let deadline = Clock.system.boot() + options.connectTimeout.inMilliseconds
        // "If you have yet to call PQconnectPoll … behave as if it last returned PGRES_POLLING_WRITING."
        var status = PGRES_POLLING_WRITING
        if PQstatus(connection) == CONNECTION_BAD { status = PGRES_POLLING_FAILED }
        while status != PGRES_POLLING_OK {
            guard status != PGRES_POLLING_FAILED else { throw error(of: connection) }
            try wait(connection, for: status == PGRES_POLLING_READING ? POLLIN : POLLOUT, until: deadline)
            status = PQconnectPoll(connection)
        }
    }

    private func wait(_ connection: OpaquePointer, for events: Int32, until deadline: Int64) throws(PostgresError) {
        while true {
            if interrupt?.isRequested == true { throw PostgresError(.cancelled, operation: "connect", detail: "nobody waits for it any more") }
            let remaining = deadline - Clock.system.boot()
            guard remaining > 0 else {
                throw PostgresError(
                    .unreachable, operation: "connect",
                    detail: "\(place(of: connection)) has not answered in \(options.connectTimeout.inMilliseconds) ms")
            }
            // "Caution: do not assume that the socket remains the same across PQconnectPoll calls."
            if SocketWait.isReady(PQsocket(connection), events, wakeUp: wakeUp, milliseconds: Int32(clamping: remaining)) { return }
        }
    }

    private func place(of connection: OpaquePointer) -> String {
        let host = PQhost(connection).map { String(cString: $0) } ?? ""
        let port = PQport(connection).map { String(cString: $0) } ?? ""
        return host + ":" + port
    }

    private func checkVersion(_ connection: OpaquePointer) throws(PostgresError) {
        let version = PQserverVersion(connection)
        guard version < Self.serverVersionMin else { return }
        throw PostgresError(
            .unsupportedServer, operation: "connect",
            detail: "the server is PostgreSQL \(version / 10_000); \(Self.serverVersionMin / 10_000) is the oldest that works")
    }

    private func error(of connection: OpaquePointer) -> PostgresError {
        let message = String(cString: PQerrorMessage(connection))
        let sqlState = PostgresDetail.sqlState(inConnectionMessage: message)
        let reason = sqlState.map(PostgresErrorReason.init(sqlState:)) ?? Self.reason(of: message)
        return PostgresError(reason, operation: "connect", sqlState: sqlState, detail: PostgresDetail.ofConnection(message))
    }

    /// Of a failure that libpq found itself. Its words are English: the process never sets a language for messages.
    private static func reason(of message: String) -> PostgresErrorReason {
        let kinds: [(String, PostgresErrorReason)] = [
            ("no password supplied", .authentication), ("SSL", .tls), ("certificate", .tls), ("session is read-only", .readOnly),
            ("hot standby", .readOnly), ("invalid value", .configuration), ("invalid port", .configuration), ("invalid integer", .configuration),
        ]
        return kinds.first { message.contains($0.0) }?.1 ?? .unreachable
    }
}
