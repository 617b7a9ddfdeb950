import ServiceSupport
import Synchronization

/// The pools of connections to a cluster's nodes, one each; of a server that is no cluster, one. They work while `run` runs.
package final class ClusterNodes: Sendable {
    private struct Node: Sendable {
        let pool: RedisPool
        let end: AsyncStream<Never>.Continuation
    }

    private struct Work: Sendable {
        let pool: RedisPool
        let ended: AsyncStream<Never>
    }

    private struct State {
        var nodes: [NodeAddress: Node] = [:]
        /// Connections made and failed by pools that are gone: their counters never fall.
        var past = PoolCounts()
    }

    /// What the configuration names: all is found from there.
    package let first: RedisPool
    private let options: RedisOptions
    private let limits: PoolLimits
    private let abandoned = AbandonedConnections()
    private let state = Mutex(State())
    private let work: AsyncStream<Work>
    private let workSource: AsyncStream<Work>.Continuation

    package init(_ options: RedisOptions, limits: PoolLimits) {
        self.options = options
        self.limits = limits
        first = RedisPool(options, limits: limits, abandoned: abandoned)
        // As many as nodes come and go.
        (work, workSource) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
    }

    /// Until the task is cancelled.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.first.run() }
            for await work in work {
                group.addTask {
                    await withDiscardingTaskGroup { pool in
                        pool.addTask { await work.pool.run() }
                        for await _ in work.ended {}
                        pool.cancelAll()
                    }
                }
            }
        }
    }

    /// The one that leads to the node; with the same user, password and TLS as the first.
    package func pool(of address: NodeAddress) throws(RedisError) -> RedisPool {
        let (pool, isNew) = state.withLock { state -> (RedisPool?, Work?) in
            if let node = state.nodes[address] { return (node.pool, nil) }
            guard state.nodes.count < SlotMap.nodesMax else { return (nil, nil) }
            var options = options
            options.address = .tcp(host: address.host, port: address.port)
            let pool = RedisPool(options, limits: limits, abandoned: abandoned)
            let (ended, end) = AsyncStream.makeStream(of: Never.self)
            state.nodes[address] = Node(pool: pool, end: end)
            return (pool, Work(pool: pool, ended: ended))
        }
        if let isNew { workSource.yield(isNew) }
        guard let pool else { throw RedisError(.tooMuch, operation: "connect", detail: "more than \(SlotMap.nodesMax) nodes") }
        return pool
    }

    /// Ends the connections to all others.
    package func keep(_ addresses: [NodeAddress]) {
        let kept = Set(addresses)
        state.withLock { state in
            for (address, node) in state.nodes where !kept.contains(address) {
                let counts = node.pool.counts
                state.past = state.past + PoolCounts(opened: counts.opened, failed: counts.failed)
                state.nodes[address] = nil
                node.end.finish()
            }
        }
    }

    package var counts: PoolCounts { state.withLock { state in state.nodes.values.reduce(state.past + first.counts) { $0 + $1.pool.counts } } }

    /// See `RedisPool.takeAbandoned`; of all nodes.
    package func takeAbandoned() -> [AbandonedConnection] { abandoned.take() }
}
