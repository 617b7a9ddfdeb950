import CacheStores
import Foundation
import RedisDriver
import RedisFixtures
import RedisStores
import ServiceSupport
import Testing

/// The cache on a real cluster of three that changes while it is used.
@Suite(.timeLimit(.minutes(10)), .enabled(if: RedisMake.redis.missing == nil, Comment(rawValue: RedisMake.redis.missing ?? "")))
struct RedisClusterCacheTests {
    @Test func `slots move from node to node while many write, and nothing is lost or older`() async throws {
        let cluster = try RedisCluster()
        let registry = MetricsRegistry()
        try await RunningCache.with(cluster.options, registry: registry) { cache in
            let keys = (0..<40).map { CacheKey(.session, "moving-\($0)") }
            let slots = Set(keys.map { KeySlot.of(Array($0.text.utf8)) }).sorted().prefix(12)
            let isMoved = Flag()
            try await withThrowingTaskGroup { group in
                for key in keys {
                    group.addTask {
                        var round = 0
                        repeat {
                            round += 1
                            await cache.set(key, Array(String(round).utf8))
                            // A session is read from the server alone.
                            #expect(await cache.get(key) == Array(String(round).utf8))
                        } while !isMoved.isSet
                    }
                }
                for slot in slots {
                    let target = try #require(try cluster.nodes.first { try $0.port != cluster.owner(of: slot).port })
                    try cluster.beginMove(of: slot, to: target)
                    try cluster.moveKeys(of: slot, to: target)
                    try await Task.sleep(for: .milliseconds(10))
                    // What came meanwhile came to the other node.
                    try cluster.moveKeys(of: slot, to: target)
                    try cluster.endMove(of: slot, to: target)
                }
                isMoved.set()
                try await group.waitForAll()
            }
            let metrics = registry.render()
            #expect(metrics.contains("farwatch_redis_lost_writes_total 0") && metrics.contains("farwatch_redis_cluster_nodes 3"), "\(metrics)")
            #expect(!metrics.contains("farwatch_redis_redirects_total 0"))
            #expect(cache.isAvailable && cache.description.hasSuffix("a cluster of 3"), "\(cache.description)")
            // All nodes have some, and none that another one has.
            #expect(try cluster.nodes.reduce(0) { $0 + (try $1.keys("session:*").count) } == keys.count)
        }
    }

    @Test func `a slot is on its way to a new node for as long as it likes, and everything goes on`() async throws {
        let cluster = try RedisCluster()
        let new = try cluster.newNode()
        // Of one slot.
        let (status, session) = (CacheKey.deviceStatus("moving"), CacheKey(.session, "moving"))
        let slot = KeySlot.of(Array(status.text.utf8))
        let registry = MetricsRegistry()
        try await RunningCache.with(cluster.options, registry: registry) { cache in
            await cache.write([.set(status, [1]), .set(session, [1])])
            try cluster.beginMove(of: slot, to: new)
            try cluster.moveKeys(of: slot, to: new)
            #expect(try new.keys().count == 2)
            // Who comes only now meets the new node when it asks for something: what is there of copies goes, for that one's, too, is from any time.
            try await RunningCache.with(cluster.options) { late in
                try await RunningCache.wait { await late.get(session) == [1] && late.isAvailable }
                let copies = try new.keys("device:*")
                #expect(copies.isEmpty)
            }
            // Who was there meets it, too.
            try await RunningCache.wait {
                await cache.set(session, [2])
                return cache.isAvailable && !registry.render().contains("farwatch_redis_redirects_total 0")
            }
            for number in 0..<20 {
                #expect(await cache.admit(CacheKey(.rateLimit, "moving"), RateLimit(100, within: .seconds(600))).remaining == 99 - number)
            }
            #expect(registry.render().contains("farwatch_redis_breaker_opened_total 0") && cache.isAvailable)
            try cluster.endMove(of: slot, to: new)
            // On a busy machine nodes may take each other for dead for a moment.
            try await RunningCache.wait {
                await cache.set(session, [3])
                return (try? new.run("GET", session.text)) == .bytes([3])
            }
        }
    }

    @Test func `a primary is killed and its replica takes over; what was read is never older than what was written`() async throws {
        let cluster = try RedisCluster(replicas: 1)
        try await RunningCache.with(cluster.options, timeout: .seconds(2)) { writer in
            try await RunningCache.with(cluster.options, timeout: .seconds(2)) { reader in
                let keys = (0..<300).map { CacheKey.deviceStatus("device-\($0)") }
                await writer.write(keys.map { .set($0, [1]) })
                #expect(await reader.get(keys).count == keys.count)
                // What the replica has not heard of is what it must not be believed on.
                cluster.nodes[3].pause()
                await writer.write(keys.map { .set($0, [2]) })
                cluster.nodes[0].kill()
                cluster.nodes[3].resume()
                await writer.write(keys.map { .set($0, [3]) })
                #expect(await writer.get(keys) == Dictionary(uniqueKeysWithValues: keys.map { ($0, [3]) }))
                // Both notice, however long it takes: then the replica is one of those that have slots.
                try await RunningCache.wait {
                    await writer.set(CacheKey.deviceStatus("other"), [1])
                    _ = await reader.get(keys)
                    return try cluster.owner(of: 0).port == cluster.nodes[3].port && writer.isAvailable && reader.isAvailable
                }
                for (_, value) in await reader.get(keys) { #expect(value == [3]) }
                #expect(await writer.get(keys) == Dictionary(uniqueKeysWithValues: keys.map { ($0, [3]) }))
                await writer.write(keys.map { .set($0, [4]) })
                #expect(await reader.get(keys) == Dictionary(uniqueKeysWithValues: keys.map { ($0, [4]) }))
            }
        }
    }

    @Test func `nothing is believed that was on any node before a collector came, but sessions`() async throws {
        let cluster = try RedisCluster()
        let map = try cluster.map()
        for node in cluster.nodes {
            // Any keys that are this node's.
            let ids = (0..<500).map(String.init).filter { map.owner(of: KeySlot.of(Array($0.utf8)))?.port == node.port }.prefix(50)
            for id in ids { for name in ["device:{\(id)}:status", "session:{\(id)}"] { try node.run("SET", name, "old") } }
        }
        try await RunningCache.with(cluster.options) { cache in
            for node in cluster.nodes {
                let (copies, sessions) = (try node.keys("device:*"), try node.keys("session:*"))
                #expect(copies.isEmpty && sessions.count == 50)
            }
            #expect(await cache.get(CacheKey(.session, "1")) == Array("old".utf8))
        }
    }

    @Test func `a user who may only what Packaging's example allows can do all of it on each node`() async throws {
        let example = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Packaging/redis/users.acl")
        let lines = try String(contentsOf: example, encoding: .utf8).split(whereSeparator: \.isNewline).filter { $0.hasPrefix("user collector") }
        let user = lines.map { String($0).replacingOccurrences(of: "REPLACE-THIS-PASSWORD", with: "geheim") }
        let cluster = try RedisCluster(users: ["user default on nopass ~* &* +@all"] + user)
        var options = cluster.options
        options.user = "collector"
        options.password = "geheim"
        let registry = MetricsRegistry()
        try await RunningCache.with(options, registry: registry) { cache in
            let keys = (0..<100).map { CacheKey.deviceStatus(String($0)) }
            await cache.write(keys.flatMap { [.set($0, [1]), .append(.deviceMetrics($0.text), [2])] })
            await cache.remove([keys[0], .deviceStatus("none")])
            for key in keys { #expect(await cache.recent(.deviceMetrics(key.text)) == [[2]]) }
            for number in 0..<10 { #expect(await cache.admit(CacheKey(.rateLimit, "c\(number)"), RateLimit(1, within: .seconds(1))).isAdmitted) }
            try await RunningCache.wait { registry.render().contains(#"farwatch_redis_keys{kind="device_status"}"#) }
            #expect(!registry.render().contains("farwatch_redis_errors_total{"), "\(registry.render())")
        }
    }
}

/// Set once, by one of many tasks.
private final class Flag: @unchecked Sendable {
    private let lock = NSLock()
    private var value = false

    var isSet: Bool { lock.withLock { value } }
    func set() { lock.withLock { value = true } }
}
