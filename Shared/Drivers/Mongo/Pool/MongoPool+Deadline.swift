import Synchronization

extension MongoPool {
    /// How often it is looked whether there is a reason to wait no longer.
    private static let lookInterval: Duration = .milliseconds(100)

    /// Runs `body` for a caller that waits no longer than `time`, for a client and for the server. What is at work then cannot be interrupted: it goes
    /// on to its own time-outs, begins nothing again, and nobody is told how it ended.
    /// - Parameter givenUp: a reason to wait no longer before the time is over.
    package nonisolated func run<Value: Sendable>(
        within time: Duration, unless givenUp: (@Sendable () -> MongoError?)? = nil,
        _ body: @escaping @Sendable (MongoClient) throws(MongoError) -> Value
    ) async throws(MongoError) -> Value {
        let deadline = ContinuousClock.now + time
        let late = MongoError(.timedOut, operation: "answer in time", detail: "nothing came within \(time)")
        let result: Result<Value, MongoError> = await withCheckedContinuation { continuation in
            let first = FirstResult(continuation)
            let timer = Task {
                guard let givenUp else {
                    try? await Task.sleep(until: deadline, clock: .continuous)
                    return first.give(.failure(late))
                }
                while !Task.isCancelled, ContinuousClock.now < deadline {
                    if let reason = givenUp() { return first.give(.failure(reason)) }
                    try? await Task.sleep(for: Self.lookInterval)
                }
                first.give(.failure(late))
            }
            Task {
                let result: Result<Value, MongoError>
                do throws(MongoError) {
                    result = .success(
                        try await run { (client) throws(MongoError) in
                            client.deadline = deadline
                            guard !client.isLate else { throw late }
                            return try body(client)
                        })
                } catch { result = .failure(error) }
                first.give(result)
                timer.cancel()
            }
        }
        return try result.get()
    }
}

/// Whichever comes first.
private final class FirstResult<Value: Sendable>: Sendable {
    private let continuation: Mutex<CheckedContinuation<Value, Never>?>

    init(_ continuation: CheckedContinuation<Value, Never>) { self.continuation = Mutex(continuation) }

    func give(_ value: Value) {
        let waiting = continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }
        waiting?.resume(returning: value)
    }
}
