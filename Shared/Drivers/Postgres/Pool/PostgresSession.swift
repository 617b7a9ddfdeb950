import LinuxDriver
import ServiceSupport

/// A connection on a thread of its own. Work on it is a closure that blocks; cancelling the task that waits for it cancels what the server does.
package actor PostgresSession {
    private let executor: ThreadExecutor
    private let options: PostgresOptions
    private nonisolated let wakeUp: WakeUp
    private var connection: PostgresConnection?

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private init(_ options: PostgresOptions, threadName: String) throws(PostgresError) {
        self.options = options
        executor = ThreadExecutor(name: threadName)
        wakeUp = try PostgresConnection.makeWakeUp()
    }

    package static func open(_ options: PostgresOptions, threadName: String = "postgres") async throws(PostgresError) -> PostgresSession {
        let session = try PostgresSession(options, threadName: threadName)
        try await session.interruptible { (interrupt) async throws(PostgresError) in try await session.connect(interrupt) }
        return session
    }

    /// Runs `body` on a connection that is opened for it, and closed however it ends.
    package static func run<Value: Sendable>(
        _ options: PostgresOptions, threadName: String = "postgres", _ body: @Sendable (PostgresConnection) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        let session = try await open(options, threadName: threadName)
        let result: Result<Value, PostgresError>
        do throws(PostgresError) { result = .success(try await session.run(body)) } catch { result = .failure(error) }
        await session.close()
        return try result.get()
    }

    /// Runs `body` on the connection's thread.
    package nonisolated func run<Result: Sendable>(
        _ body: @Sendable (PostgresConnection) throws(PostgresError) -> Result
    ) async throws(PostgresError) -> Result {
        try await interruptible { (interrupt) async throws(PostgresError) in try await self.perform(body, interrupt) }
    }

    /// Whether the connection can take more work.
    package func isUsable() -> Bool { connection?.isUsable ?? false }

    /// Ends the connection, on its thread: PQfinish says goodbye to the server.
    package func close() { connection = nil }

    private func connect(_ interrupt: Interrupt) throws(PostgresError) {
        let connection = try PostgresConnection(options, wakeUp: wakeUp, interrupt: interrupt)
        connection.interrupt = nil
        self.connection = connection
    }

    private func perform<Result: Sendable>(
        _ body: @Sendable (PostgresConnection) throws(PostgresError) -> Result, _ interrupt: Interrupt
    ) throws(PostgresError) -> Result {
        guard let connection else { throw PostgresError(.disconnected, operation: "use a connection", detail: "it is closed") }
        connection.interrupt = interrupt
        defer { connection.interrupt = nil }
        return try body(connection)
    }

    private nonisolated func interruptible<Value: Sendable>(
        _ body: (Interrupt) async throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        let interrupt = Interrupt(wakeUp)
        let result: Result<Value, PostgresError> = await withTaskCancellationHandler {
            do throws(PostgresError) { return .success(try await body(interrupt)) } catch { return .failure(error) }
        } onCancel: {
            interrupt.request()
        }
        return try result.get()
    }
}
