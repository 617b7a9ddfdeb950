import LinuxDriver
import ServiceSupport
import Synchronization

/// One server, or a cluster of them, whichever is found at an address: who uses it need not know. Works while `run` runs, and after `look`.
package final class RedisDeployment: Sendable {
    /// A cluster is asked so often who has which slot, beside when a node says that it has moved.
    package static let lookInterval: Duration = .seconds(5)
    private static let tick: Duration = .milliseconds(100)
    /// Nodes that are asked before a look is given up.
    private static let askedMax = 8

    struct State {
        /// Nil for a server that is no cluster.
        var map: SlotMap?
        var isStale = false
        var redirects = 0
    }

    let nodes: ClusterNodes
    private let host: String?
    let state = Mutex(State())

    package init(_ options: RedisOptions, limits: PoolLimits = PoolLimits()) {
        nodes = ClusterNodes(options, limits: limits)
        host = if case .tcp(let host, _) = options.address { host } else { nil }
    }

    /// For metrics.
    package var counts: PoolCounts { nodes.counts }
    /// How often a node sent a command on to another.
    package var redirects: Int { state.withLock { $0.redirects } }
    /// The nodes that have slots; nil for a server that is no cluster.
    package var primaries: [NodeAddress]? { state.withLock { $0.map?.primaries } }
    /// See `RedisPool.takeAbandoned`.
    package func takeAbandoned() -> [AbandonedConnection] { nodes.takeAbandoned() }

    // MARK: Running

    /// Keeps the connections until the task is cancelled, and knows where slots are.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.nodes.run() }
            group.addTask { await self.follow() }
        }
    }

    private func follow() async {
        var lookedAt = ContinuousClock.now
        while (try? await Task.sleep(for: Self.tick)) != nil {
            let (isCluster, isStale) = state.withLock { state in
                defer { state.isStale = false }
                return (state.map != nil, state.isStale)
            }
            guard isCluster, isStale || ContinuousClock.now - lookedAt > Self.lookInterval else { continue }
            // What does not answer is found out by whoever asks it something.
            try? await look()
            lookedAt = ContinuousClock.now
        }
    }

    /// Finds out whether there is a cluster, and which of its nodes has which slot.
    package func look() async throws(RedisError) {
        let known = (primaries ?? []).prefix(Self.askedMax)
        var failure: RedisError?
        for address in known {
            do throws(RedisError) { return try await look(nodes.pool(of: address), address.host) } catch { failure = error }
        }
        do throws(RedisError) { try await look(nodes.first, host) } catch { throw failure ?? error }
    }

    private func look(_ pool: RedisPool, _ host: String?) async throws(RedisError) {
        let map = try await pool.run { (connection) throws(RedisError) -> SlotMap? in
            guard connection.isOfCluster else { return nil }
            return try SlotMap(slots: connection.run(RedisCommand("CLUSTER SLOTS")), toldBy: host)
        }
        state.withLock { $0.map = map }
        nodes.keep(map?.primaries ?? [])
        // Their first connections are made before somebody waits for them.
        for address in map?.primaries ?? [] { _ = try nodes.pool(of: address) }
    }

    /// All servers that hold keys.
    package func pools() throws(RedisError) -> [RedisPool] {
        guard let primaries else { return [nodes.first] }
        guard !primaries.isEmpty else { throw RedisError(.notReady, operation: "CLUSTER SLOTS", detail: "no node of the cluster has a slot") }
        var pools: [RedisPool] = []
        for address in primaries { pools.append(try nodes.pool(of: address)) }
        return pools
    }

    func note(_ redirect: Redirect) {
        state.withLock { state in
            state.redirects += 1
            guard case .moved(let slot, let node) = redirect else { return }
            state.map?.moved(slot, to: node)
            state.isStale = true
        }
    }
}
