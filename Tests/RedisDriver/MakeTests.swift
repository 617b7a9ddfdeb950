import RedisDriver
import RedisFixtures
import Testing

@Suite struct MakeTests {
    /// What the other suites leave out silently when a kind of server is missing is told here, as a skip with the reason.
    @Test(.enabled(if: RedisMake.valkey.missing == nil, Comment(rawValue: RedisMake.valkey.missing ?? "")))
    func `Valkey is there, and says that it is`() throws {
        #expect(try SharedRedis.server(.valkey).connect().serverName?.hasPrefix("Valkey") == true)
    }

    @Test(.enabled(if: RedisMake.redis.missing == nil, Comment(rawValue: RedisMake.redis.missing ?? "")))
    func `Redis is there, and says that it is`() throws {
        #expect(try SharedRedis.server(.redis).connect().serverName?.hasPrefix("Redis") == true)
    }
}
