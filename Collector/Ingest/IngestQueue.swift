import Synchronization

/// Messages on their way from the broker's thread to the pipeline. Full means that a message is dropped: its device keeps it and sends it again.
final class IngestQueue: Sendable {
    struct Message: Sendable {
        let topic: String
        let bytes: [UInt8]
        /// Nanoseconds of a clock that never steps.
        let receivedAt: Int64

        /// What it counts for the queue's bound: what it holds, and what two allocations and its place in the queue cost beside.
        var size: Int { topic.utf8.count + bytes.count + 192 }
    }

    enum Entry: Sendable {
        case message(Message)
        /// A connection to the broker began; what follows came over it.
        case connectionBegan
    }

    private struct State {
        var entries: [Entry?] = []
        /// Of the next entry; what is before it was taken.
        var first = 0
        var size = 0
        var isFinished = false

        var count: Int { entries.count - first }
    }

    private let state = Mutex(State())
    private let messagesMax: Int
    private let bytesMax: Int
    /// Something waits, or the queue is finished.
    let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    init(messagesMax: Int, bytesMax: Int) {
        self.messagesMax = messagesMax
        self.bytesMax = bytesMax
        (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    var count: Int { state.withLock { $0.count } }
    var isFinished: Bool { state.withLock { $0.isFinished } }

    /// How full it is, 0…1, by messages or bytes.
    var fill: Double {
        state.withLock { max(Double($0.count) / Double(messagesMax), Double($0.size) / Double(bytesMax)) }
    }

    /// When the message that waits longest came in; nil when none does.
    var oldest: Int64? {
        state.withLock { state in
            for case .message(let message) in state.entries[state.first...] { return message.receivedAt }
            return nil
        }
    }

    /// False when there is no room.
    func push(_ message: Message) -> Bool {
        let isTaken = state.withLock { state in
            guard !state.isFinished, state.count < messagesMax, state.size + message.size <= bytesMax else { return false }
            state.entries.append(.message(message))
            state.size += message.size
            return true
        }
        if isTaken { signal.yield() }
        return isTaken
    }

    /// Marks where a connection began. There is room for that always: connections are few.
    func pushConnection() {
        state.withLock { state in
            // Two marks in a row say no more than one.
            if state.count > 0, case .connectionBegan? = state.entries.last { return }
            state.entries.append(.connectionBegan)
        }
        signal.yield()
    }

    /// The next entry, or nil.
    func pop() -> Entry? {
        state.withLock { state in
            guard state.first < state.entries.count else { return nil }
            let entry = state.entries[state.first]
            state.entries[state.first] = nil
            state.first += 1
            if case .message(let message) = entry { state.size -= message.size }
            // What was taken is cleared when it is half of the array: a constant cost an entry.
            if state.first * 2 >= state.entries.count {
                state.entries.removeFirst(state.first)
                state.first = 0
            }
            return entry
        }
    }

    /// Nothing is taken in any more; what waits can still be popped.
    func finish() {
        state.withLock { $0.isFinished = true }
        signal.finish()
    }
}
