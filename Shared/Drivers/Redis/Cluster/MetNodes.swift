/// Nodes of a cluster that another one has sent a command on to, and that have no slot yet: they hold keys of one that is on its way. A value without a
/// clock: times are milliseconds that never step.
package struct MetNodes: Sendable {
    /// More are not remembered: the oldest are forgotten, and met again.
    package static let max = 16
    /// One that nobody was sent on to for so long has nothing to do with any slot: it may be gone.
    package static let kept: Int64 = 30_000

    /// The one met last comes last.
    private var nodes: [(address: NodeAddress, at: Int64)] = []

    package init() {}

    package var addresses: [NodeAddress] { nodes.map(\.address) }

    package mutating func met(_ address: NodeAddress, at now: Int64) {
        nodes.removeAll { $0.address == address }
        if nodes.count >= Self.max { nodes.removeFirst() }
        nodes.append((address, now))
    }

    /// - Parameter primaries: those that have slots by now.
    package mutating func look(primaries: [NodeAddress], at now: Int64) {
        nodes.removeAll { node in primaries.contains(node.address) || now - node.at > Self.kept }
    }
}
