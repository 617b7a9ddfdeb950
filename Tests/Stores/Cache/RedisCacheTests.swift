import CacheStores
import Foundation
import RedisDriver
import RedisFixtures
import RedisStores
import ServiceSupport
import Testing

/// The cache on Redis beyond its role: what stands in the key space, and servers that fail.
@Suite(.timeLimit(.minutes(5)), .enabled(if: RedisMake.redis.missing == nil, Comment(rawValue: RedisMake.redis.missing ?? "")))
struct RedisCacheTests {
    private let key = CacheKey.deviceStatus("edge-1")

    @Test func `keys live for their kind's time and lists have their bound`() async throws {
        let server = try RedisServer()
        try await RunningCache.with(server.options) { cache in
            await cache.write([.set(key, [1]), .set(CacheKey(.query, "q"), [2])] + (0..<30).map { .append(.deviceMetrics("edge-1"), [UInt8($0)]) })
            _ = await cache.admit(CacheKey(.rateLimit, "client"), RateLimit(5, within: .seconds(60)))
            #expect(try server.keys() == ["device:{edge-1}:metrics", "device:{edge-1}:status", "query:{q}", "ratelimit:{client}"])
            for (name, seconds) in [
                ("device:{edge-1}:metrics", 3_600), ("device:{edge-1}:status", 3_600), ("query:{q}", 60), ("ratelimit:{client}", 60),
            ] {
                let left = try #require(try server.run("PTTL", name).integer)
                #expect(left > 0 && left <= seconds * 1_000)
            }
            #expect(try server.run("LLEN", "device:{edge-1}:metrics").integer == 20)
        }
    }

    @Test func `collectors share what each has written`() async throws {
        let server = try RedisServer()
        try await RunningCache.with(server.options) { one in
            try await RunningCache.with(server.options) { other in
                await one.set(key, [1])
                #expect(await other.get(key) == [1])
                let limit = RateLimit(2, within: .seconds(60))
                let client = CacheKey(.rateLimit, "client")
                let (first, second, third) = (await one.admit(client, limit), await other.admit(client, limit), await one.admit(client, limit))
                #expect(first.isAdmitted && second.isAdmitted && !third.isAdmitted)
            }
        }
    }

    @Test(arguments: RedisMake.available)
    func `a session is known to all collectors until one of them ends it, and lives for half a day`(_ make: RedisMake) async throws {
        let server = try RedisServer(make)
        let session = CacheKey(.session, "a hash of what the client holds")
        try await RunningCache.with(server.options) { one in
            await one.set(session, [1])
            try await RunningCache.with(server.options) { other in
                #expect(await other.get(session) == [1])
                let left = try #require(try server.run("PTTL", session.text).integer)
                #expect((43_000_000...43_200_000).contains(left))
                await other.remove(session)
                #expect(await other.get(session) == nil)
            }
            #expect(await one.get(session) == nil)
            await one.set(session, [2])
        }
        // Those who come later know it, too.
        try await RunningCache.with(server.options) { #expect(await $0.get(session) == [2]) }
    }

    @Test func `nothing is believed that was there before a collector came, but sessions`() async throws {
        let server = try RedisServer()
        for name in ["device:{edge-1}:status", "session:{s}", "ratelimit:{c}", "other"] { try server.run("SET", name, "old") }
        for number in 0..<3_000 { try server.run("SET", "series:{\(number)}", "old") }
        try await RunningCache.with(server.options) { cache in
            #expect(await cache.get([key, CacheKey(.session, "s")]) == [CacheKey(.session, "s"): Array("old".utf8)])
            let left = try server.keys()
            #expect(left == ["other", "ratelimit:{c}", "session:{s}"])
        }
    }

    @Test func `a server that starts anew with what it had saved is not believed`() async throws {
        let server = try RedisServer(settings: ["--save", "3600 1"])
        try await RunningCache.with(server.options) { writer in
            await writer.set(key, [1])
            await writer.set(CacheKey(.session, "s"), [1])
            try server.run("SAVE")
            await writer.set(key, [2])
            server.kill()
            try server.start()
            #expect(try server.run("GET", key.text).bytes == [1])
            try await RunningCache.with(server.options) { reader in
                try await RunningCache.wait { writer.isAvailable }
                #expect(await reader.get(key) == nil)
                #expect(await writer.get(key) == [2])
                #expect(await reader.get(CacheKey(.session, "s")) == [1])
            }
        }
    }

    @Test func `with the server stopped, what this collector wrote is there, and comes back to the server with the next write`() async throws {
        let server = try RedisServer()
        try await RunningCache.with(server.options) { cache in
            await cache.set(key, [1])
            server.kill()
            await cache.set(key, [2])
            await cache.set(CacheKey(.session, "s"), [3])
            #expect(await cache.get([key, CacheKey(.session, "s")]) == [key: [2], CacheKey(.session, "s"): [3]])
            #expect(await cache.admit(CacheKey(.rateLimit, "c"), RateLimit(1, within: .seconds(60))).isAdmitted)
            #expect(await cache.admit(CacheKey(.rateLimit, "c"), RateLimit(1, within: .seconds(60))).isAdmitted == false)
            try await RunningCache.wait { !cache.isAvailable }
            #expect(cache.description.hasPrefix("without Redis"), "\(cache.description)")
            try server.start()
            try await RunningCache.wait { cache.isAvailable }
            #expect(await cache.get(key) == [2])
            await cache.set(key, [4])
            #expect(try server.run("GET", key.text).bytes == [4])
            #expect(cache.description.hasPrefix("Redis "))
        }
    }

    @Test func `a flushed server costs misses and no more`() async throws {
        let server = try RedisServer()
        try await RunningCache.with(server.options) { cache in
            await cache.write([.set(key, [1]), .set(CacheKey(.session, "s"), [2]), .append(.deviceMetrics("edge-1"), [3])])
            try server.run("FLUSHALL")
            #expect(await cache.get([key, CacheKey(.session, "s")]) == [key: [1]])
            #expect(await cache.recent(.deviceMetrics("edge-1")).isEmpty)
            await cache.set(key, [4])
            #expect(try server.run("GET", key.text).bytes == [4])
        }
    }

    @Test func `a server that stands still is asked a few times and then left alone, and nothing it reads late counts`() async throws {
        let server = try RedisServer()
        try await RunningCache.with(server.options, timeout: .milliseconds(200)) { cache in
            await cache.write([.set(key, [1])])
            server.pause()
            // Each of these is in the server's socket when it goes on.
            for value in 2..<10 { await cache.set(key, [UInt8(value)]) }
            try await RunningCache.wait { !cache.isAvailable }
            let began = ContinuousClock.now
            for value in 0..<1_000 { await cache.set(.deviceStatus("d\(value)"), [1]) }
            for value in 0..<1_000 { #expect(await cache.get(.deviceStatus("d\(value)")) == [1]) }
            // Left alone: 2,000 time-outs would take minutes.
            #expect(ContinuousClock.now - began < .seconds(60))
            server.resume()
            try await RunningCache.wait { cache.isAvailable }
            try await RunningCache.wait { try server.run("EXISTS", key.text).integer == 0 }
            #expect(await cache.get(key) == [9])
            // Another collector, which has only the server's word.
            try await RunningCache.with(server.options) { #expect(await $0.get(key) == nil) }
        }
    }

    @Test func `a server that starts anew counts its clients from 1, and none is taken for one that was given up before`() async throws {
        let server = try RedisServer()
        // So that the numbers given up are not those of the cache's own connections later.
        for _ in 0..<20 { try server.run("PING") }
        try await RunningCache.with(server.options, timeout: .milliseconds(200)) { cache in
            await cache.set(key, [1])
            server.pause()
            for value in 2..<10 { await cache.set(key, [UInt8(value)]) }
            try await RunningCache.wait { !cache.isAvailable }
            server.kill()
            try server.start()
            // Others use the server too.
            let strangers = try (0..<60).map { _ in try server.connect() }
            try await RunningCache.wait { cache.isAvailable }
            #expect(strangers.count { $0.isConnected } == 60)
        }
    }

    @Test func `a server that does not say which run it is in is not used, and the reason is told`() async throws {
        let server = try RedisServer(users: ["user default on nopass ~* &* +@all", "user collector on >geheim ~* +@all -info"])
        var options = server.options
        options.user = "collector"
        options.password = "geheim"
        try server.run("SET", key.text, "old")
        let cache = RedisCache(RedisCacheOptions(options, timeout: .seconds(20)))
        try await withThrowingTaskGroup { group in
            group.addTask { await cache.run() }
            try await RunningCache.wait { cache.description.contains("+info") }
            #expect(!cache.isAvailable && cache.description.hasPrefix("without Redis"), "\(cache.description)")
            #expect(await cache.get(key) == nil)
            await cache.set(key, [1])
            #expect(await cache.get(key) == [1])
            #expect(try server.run("GET", key.text).text == "old")
            // The right comes, and with it the server.
            try server.run("ACL", "SETUSER", "collector", "+info")
            try server.run("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            try await RunningCache.wait { cache.isAvailable }
            #expect(try server.run("EXISTS", key.text).integer == 0)
            group.cancelAll()
        }
    }

    @Test func `while there are more limits than there may be, no new one comes to the server, and all hold`() async throws {
        let server = try RedisServer()
        let limit = RateLimit(2, within: .seconds(3_600))
        let (known, new) = (CacheKey(.rateLimit, "known"), CacheKey(.rateLimit, "new"))
        try await RunningCache.with(server.options) { #expect(await $0.admit(known, limit).remaining == 1) }
        let most = CacheKind.rateLimit.keysMax
        try server.run("EVAL", "for i = 1, \(most + most / 10) do redis.call('SET', 'ratelimit:{' .. i .. '}', 'x') end", "0")
        let registry = MetricsRegistry()
        try await RunningCache.with(server.options, registry: registry) { cache in
            try await RunningCache.wait { registry.render().contains(#"farwatch_redis_keys{kind="rate_limit"}"#) }
            #expect(await cache.admit(new, limit).remaining == 1)
            #expect(await cache.admit(new, limit).remaining == 0)
            #expect(await cache.admit(new, limit).isAdmitted == false)
            #expect(try server.run("EXISTS", new.text).integer == 0)
            // Who is counted there already goes on being so.
            #expect(await cache.admit(known, limit).remaining == 0)
            #expect(await cache.admit(known, limit).isAdmitted == false)
            #expect(try server.run("ZCARD", known.text).integer == 2)
        }
    }

    @Test func `a server that is full, or takes no writes, is still read, and holds nothing that is older`() async throws {
        let server = try RedisServer()
        try await RunningCache.with(server.options) { cache in
            let other = CacheKey(.session, "s")
            await cache.write([.set(key, [1]), .set(other, [1])])
            try server.run("CONFIG", "SET", "maxmemory", "1")
            await cache.set(key, [2])
            #expect(await cache.get([key, other]) == [key: [2], other: [1]])
            try await RunningCache.wait { try server.run("EXISTS", key.text).integer == 0 }
            #expect(cache.isAvailable)
        }
    }

    @Test func `when a part of many keys is refused, the others keep their values`() async throws {
        let server = try RedisServer(users: ["user default on nopass ~* &* +@all", "user collector on >geheim ~session:* +@all"])
        var options = server.options
        options.user = "collector"
        options.password = "geheim"
        let connection = try server.connect()
        for number in 0..<1_500 { _ = try connection.run(RedisCommand("SET", "session:{\(number)}", "\(number)")) }
        try await RunningCache.with(options) { cache in
            let refused = (0..<1_000).map { CacheKey.deviceStatus(String($0)) }
            let allowed = (0..<1_500).map { CacheKey(.session, String($0)) }
            let expected = Dictionary(uniqueKeysWithValues: allowed.enumerated().map { ($1, Array(String($0).utf8)) })
            #expect(await cache.get(refused + allowed) == expected)
            #expect(await cache.get(allowed + refused).count == 1_000)
        }
    }

    @Test func `a user who may only what Packaging's example allows can do all of it`() async throws {
        let example = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Packaging/redis/users.acl")
        let lines = try String(contentsOf: example, encoding: .utf8).split(whereSeparator: \.isNewline).filter { $0.hasPrefix("user ") }
        let server = try RedisServer(users: lines.map { String($0).replacingOccurrences(of: "REPLACE-THIS-PASSWORD", with: "geheim") })
        var options = server.options
        options.user = "collector"
        options.password = "geheim"
        let registry = MetricsRegistry()
        try await RunningCache.with(options, registry: registry) { cache in
            await cache.write([.set(key, [1]), .append(.deviceMetrics("edge-1"), [2])])
            await cache.remove(CacheKey.deviceStatus("none"))
            #expect(await cache.recent(.deviceMetrics("edge-1")) == [[2]])
            #expect(await cache.admit(CacheKey(.rateLimit, "c"), RateLimit(1, within: .seconds(1))).isAdmitted)
            #expect(!registry.render().contains("farwatch_redis_errors_total{"), "\(registry.render())")
            try await RunningCache.wait { registry.render().contains(#"farwatch_redis_keys{kind="device_status"}"#) }
        }
        var refusal: RedisError?
        do throws(RedisError) { _ = try server.connect() } catch { refusal = error }
        #expect(refusal?.reason == .authentication)
    }
}
