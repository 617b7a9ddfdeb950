import Synchronization

/// Messages on their way from the broker's thread to the pipeline. Full means that a message is dropped: its device keeps it and sends it again.
final class IngestQueue: Sendable {
    struct Message: Sendable {
        let topic: String
        let bytes: [UInt8]

        /// What it counts for the queue's bound; an empty message costs something too.
        var size: Int { topic.utf8.count + bytes.count + 64 }
    }

    private struct State {
        var messages: [Message] = []
        /// Of the next message; what is before it was taken.
        var first = 0
        var size = 0
        var isFinished = false
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

    var count: Int { state.withLock { $0.messages.count - $0.first } }
    var isFinished: Bool { state.withLock { $0.isFinished } }

    /// False when there is no room.
    func push(_ message: Message) -> Bool {
        let isTaken = state.withLock { state in
            guard !state.isFinished, state.messages.count - state.first < messagesMax, state.size + message.size <= bytesMax else { return false }
            state.messages.append(message)
            state.size += message.size
            return true
        }
        if isTaken { signal.yield() }
        return isTaken
    }

    /// The next message, or nil.
    func pop() -> Message? {
        state.withLock { state in
            guard state.first < state.messages.count else { return nil }
            let message = state.messages[state.first]
            state.first += 1
            state.size -= message.size
            // What was taken is cleared when it is half of the array: a constant cost a message.
            if state.first * 2 >= state.messages.count {
                state.messages.removeFirst(state.first)
                state.first = 0
            }
            return message
        }
    }

    /// Nothing is taken in any more; what waits can still be popped.
    func finish() {
        state.withLock { $0.isFinished = true }
        signal.finish()
    }
}
