import Synchronization

/// The group that is being put together while the one before it is committed: judging fills it, committing takes it. So decoding and the disk work at
/// the same time, and a group is as large as what came meanwhile.
final class JudgedMessages: Sendable {
    private struct State {
        var group = IngestGroup()
        var isAbandoned = false
    }

    private let state = Mutex(State())
    private let limits: GroupLimits
    /// There is a group to take.
    let ready: AsyncStream<Void>
    private let room: AsyncStream<Void>
    private let readySignal: AsyncStream<Void>.Continuation
    private let roomSignal: AsyncStream<Void>.Continuation

    init(_ limits: GroupLimits) {
        self.limits = limits
        (ready, readySignal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        (room, roomSignal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Adds to the group; false when it is full now.
    func add(_ change: (inout IngestGroup) -> Void) -> Bool {
        state.withLock { state in
            change(&state.group)
            return !state.group.isFull(limits)
        }
    }

    /// Returns when the group is not full any more, or nobody will take it.
    func waitForRoom() async {
        var signals = room.makeAsyncIterator()
        while isFull, await signals.next() != nil {}
    }

    /// Also when nobody will take it any more.
    var isFullOrAbandoned: Bool { state.withLock { $0.group.isFull(limits) || $0.isAbandoned } }
    private var isFull: Bool { state.withLock { $0.group.isFull(limits) && !$0.isAbandoned } }
    var isAbandoned: Bool { state.withLock { $0.isAbandoned } }
    var oldest: Int64? { state.withLock { $0.group.isEmpty ? nil : $0.group.oldest } }

    /// Says that the group may be taken, full or because nothing more waits.
    func handOver() { readySignal.yield() }

    /// The group, if there is anything in it.
    func take() -> IngestGroup? {
        let group = state.withLock { state in
            defer { state.group = IngestGroup() }
            return state.group
        }
        roomSignal.yield()
        return group.isEmpty ? nil : group
    }

    /// Nothing more will be added.
    func finish() { readySignal.finish() }

    /// Nothing more will be taken.
    func abandon() {
        state.withLock { $0.isAbandoned = true }
        roomSignal.finish()
    }
}
