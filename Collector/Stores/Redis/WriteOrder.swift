/// Lets one write after the other go to the server, in the order they came: of two writes of a key that go over two connections the older could be
/// the last.
actor WriteOrder {
    /// Those that wait; more are turned away.
    static let waitersMax = 64

    private var isTaken = false
    private var waiters: [CheckedContinuation<Void, Never>] = []

    /// False when too many wait; otherwise `leave` has to follow.
    func enter() async -> Bool {
        guard isTaken else {
            isTaken = true
            return true
        }
        guard waiters.count < Self.waitersMax else { return false }
        await withCheckedContinuation { waiters.append($0) }
        return true
    }

    func leave() {
        if waiters.isEmpty { isTaken = false } else { waiters.removeFirst().resume() }
    }
}
