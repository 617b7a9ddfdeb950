import CacheStores
import Foundation
import RedisDriver
import RedisFixtures
import Testing

/// Sessions on every make of the cache.
@Suite(.timeLimit(.minutes(5))) struct SessionsTests {
    /// A server is shared by all tests.
    private let user = "anna-" + UUID().uuidString
    private let now: Int64 = 1_800_000_000_000

    @Test(arguments: CacheMake.all)
    func `who has logged in is known by the token until the session is ended`(_ make: CacheMake) async throws {
        try await make.withCache { cache in
            let sessions = Sessions(cache)
            let token = try #require(await sessions.create(for: user, at: now))
            let other = try #require(await sessions.create(for: user, at: now + 1))
            #expect(token != other)
            let session = try #require(await sessions.read(token, at: now + 5))
            #expect(session.user == user && session.createdAt == now)
            await sessions.end(token)
            #expect(await sessions.read(token, at: now + 5) == nil)
            #expect(await sessions.touch(token, at: now + 5) == nil)
            #expect(await sessions.read(other, at: now + 5)?.createdAt == now + 1)
        }
    }

    @Test(arguments: CacheMake.all)
    func `all sessions of a user end together, nobody else's do, and the next one is new`(_ make: CacheMake) async throws {
        try await make.withCache { cache in
            let sessions = Sessions(cache)
            var tokens: [SessionToken] = []
            for _ in 0..<5 { tokens.append(try #require(await sessions.create(for: user, at: now))) }
            let stranger = try #require(await sessions.create(for: user + "x", at: now))
            await sessions.endAll(of: user)
            for token in tokens {
                #expect(await sessions.read(token, at: now) == nil)
                #expect(await sessions.touch(token, at: now) == nil)
            }
            #expect(await sessions.read(stranger, at: now) != nil)
            let next = try #require(await sessions.create(for: user, at: now))
            #expect(await sessions.read(next, at: now) != nil)
            for token in tokens { #expect(await sessions.read(token, at: now) == nil) }
        }
    }

    @Test(arguments: CacheMake.all)
    func `many logins of a user at once are all good`(_ make: CacheMake) async throws {
        try await make.withCache { cache in
            let sessions = Sessions(cache)
            let tokens = await withTaskGroup(of: SessionToken?.self) { group in
                for _ in 0..<20 { group.addTask { await sessions.create(for: user, at: now) } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(tokens.count == 20)
            for made in tokens {
                let token = try #require(made)
                #expect(await sessions.read(token, at: now) != nil)
            }
        }
    }

    @Test(arguments: CacheMake.all)
    func `a session that is used lives on, and none longer than a week`(_ make: CacheMake) async throws {
        try await make.withCache { cache in
            let sessions = Sessions(cache)
            let token = try #require(await sessions.create(for: user, at: now))
            #expect(await sessions.touch(token, at: now + Sessions.ageMax - 1)?.user == user)
            #expect(await sessions.touch(token, at: now + Sessions.ageMax) == nil)
            #expect(await sessions.read(token, at: now + Sessions.ageMax) == nil)
        }
    }

    @Test(arguments: CacheMake.all)
    func `what is touched lives anew, and what is not there is not made`(_ make: CacheMake) async throws {
        try await make.withCache { cache in
            let (there, none) = (CacheKey(.session, user), CacheKey(.session, user + "none"))
            await cache.write([.add(there, [1]), .add(there, [2])])
            #expect(await cache.get(there) == [1])
            #expect(await cache.touch([there, none]) == [there])
            #expect(await cache.get([there, none]) == [there: [1]])
            // What is too long to be added leaves what is there.
            await cache.write([.add(there, [UInt8](repeating: 0, count: there.kind.valueBytesMax + 1))])
            #expect(await cache.get(there) == [1])
        }
    }

    @Test(arguments: CacheMake.all)
    func `what is no token is no session, and no name of a user is too strange`(_ make: CacheMake) async throws {
        try await make.withCache { cache in
            let sessions = Sessions(cache)
            for text in ["", "a", String(repeating: "G", count: 64), String(repeating: "A", count: 64), String(repeating: "é", count: 32)] {
                #expect(SessionToken(text) == nil)
            }
            let unknown = try #require(SessionToken(String(repeating: "0", count: 64)))
            #expect(await sessions.read(unknown, at: now) == nil)
            for name in ["{a}:b", "\r\nFLUSHALL", String(repeating: "x", count: Session.userBytesMax)] {
                let token = try #require(await sessions.create(for: name, at: now))
                #expect(await sessions.read(token, at: now)?.user == name)
                let shown = try #require(SessionToken(token.text))
                #expect(await sessions.read(shown, at: now)?.user == name)
            }
            for name in ["", String(repeating: "x", count: Session.userBytesMax + 1)] { #expect(await sessions.create(for: name, at: now) == nil) }
        }
    }

    @Test func `a session ends when its time is over, and lives on when it is used`() async throws {
        let clock = TestClock()
        let sessions = Sessions(MemoryCache(now: { clock.now }))
        let (used, unused) = (try #require(await sessions.create(for: user, at: now)), try #require(await sessions.create(for: user, at: now)))
        for _ in 0..<3 {
            clock.advance(by: .seconds(8 * 3_600))
            #expect(await sessions.touch(used, at: now) != nil)
        }
        #expect(await sessions.read(unused, at: now) == nil)
        clock.advance(by: CacheKind.session.timeToLive)
        #expect(await sessions.read(used, at: now) == nil)
    }

    @Test(.enabled(if: RedisMake.redis.missing == nil, Comment(rawValue: RedisMake.redis.missing ?? "")))
    func `a server has no token, and each key has its time to live`() async throws {
        let server = try RedisServer()
        try await RunningCache.with(server.options) { cache in
            let token = try #require(await Sessions(cache).create(for: user, at: now))
            let keys = try server.keys()
            #expect(keys.count == 2 && !keys.contains { $0.contains(token.text) })
            for key in keys {
                let left = try #require(try server.run("PTTL", key).integer)
                #expect((1...12 * 3_600_000).contains(left))
                #expect(try server.run("GET", key).text?.contains(token.text) != true)
            }
        }
    }

    @Test(.enabled(if: RedisMake.redis.missing == nil, Comment(rawValue: RedisMake.redis.missing ?? "")))
    func `what one collector ends is ended at another, also when the server is gone after it has looked`() async throws {
        let server = try RedisServer()
        try await RunningCache.with(server.options) { one in
            try await RunningCache.with(server.options) { other in
                let (here, there) = (Sessions(one), Sessions(other))
                let (first, second) = (try #require(await here.create(for: user, at: now)), try #require(await here.create(for: user, at: now)))
                #expect(await there.touch(first, at: now)?.user == user)
                await there.end(first)
                #expect(await here.read(first, at: now) == nil)
                #expect(await here.read(second, at: now) != nil)
                server.kill()
                // What was begun here is known here meanwhile, but for what was seen to have ended.
                #expect(await here.read(second, at: now) != nil)
                #expect(await here.read(first, at: now) == nil)
                await here.endAll(of: user)
                #expect(await here.read(second, at: now) == nil)
            }
        }
    }
}

private final class TestClock: @unchecked Sendable {
    private let lock = NSLock()
    private var instant = ContinuousClock.now

    var now: ContinuousClock.Instant { lock.withLock { instant } }
    func advance(by duration: Duration) { lock.withLock { instant = instant.advanced(by: duration) } }
}
