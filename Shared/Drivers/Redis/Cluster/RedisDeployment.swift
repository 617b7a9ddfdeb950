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
        /// Nodes that have no slot yet, and keys of one that is on its way to them.
        var met = MetNodes()
        var isStale = false
        var redirects = 0
    }

    let nodes: ClusterNodes
    let state = Mutex(State())

    package init(_ options: RedisOptions, limits: PoolLimits = PoolLimits()) {
        nodes = ClusterNodes(options, limits: limits)
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
            do throws(RedisError) { return try await look(nodes.pool(of: address)) } catch { failure = error }
        }
        do throws(RedisError) { try await look(nodes.first) } catch { throw failure ?? error }
    }

    private func look(_ pool: RedisPool) async throws(RedisError) {
        let map = try await pool.run { (connection) throws(RedisError) in try connection.slots() }
        let addresses = state.withLock { state in
            state.map = map
            state.met.look(primaries: map?.primaries ?? [], at: Clock.system.boot())
            return (map?.primaries ?? []) + state.met.addresses
        }
        nodes.keep(addresses)
        // Their first connections are made before somebody waits for them.
        for address in addresses { _ = try nodes.pool(of: address) }
    }

    /// All servers that hold keys.
    package func pools() throws(RedisError) -> [RedisPool] {
        let (map, met) = state.withLock { ($0.map, $0.met.addresses) }
        guard let map else { return [nodes.first] }
        guard !map.primaries.isEmpty else {
            throw RedisError(.notReady, operation: "CLUSTER SLOTS", detail: "no node of the cluster has a slot" + map.said)
        }
        var pools: [RedisPool] = []
        for address in map.primaries + met { pools.append(try nodes.pool(of: address)) }
        return pools
    }

    func note(_ redirect: Redirect) {
        state.withLock { state in
            state.redirects += 1
            switch redirect {
            case .moved(let slot, let node):
                state.map?.moved(slot, to: node)
                state.isStale = true
            case .asked(let node):
                if let map = state.map, !map.primaries.contains(node) { state.met.met(node, at: Clock.system.boot()) }
            case .again: break
            }
        }
    }
}
