import CacheStores
import RedisDriver

/// What a server's user may not do of what the cache does.
enum RedisRights {
    /// Commands that change nothing, whoever does them: of a key that is not there, or only if it is. Where a cluster's node has not got the key's slot
    /// it says so after it has looked at the rights. LPUSH has no such form.
    private static let probes: [RedisCommand] = {
        let key = "ratelimit:{farwatch-doctor}"
        return [
            RedisCommand("DBSIZE"), RedisCommand("SCAN", "0", "COUNT", "1"), RedisCommand("TIME"), RedisCommand("MGET", key),
            RedisCommand("SET", key, "", "XX", "PX", "1"), RedisCommand("UNLINK", key), RedisCommand("LRANGE", key, "0", "0"),
            RedisCommand("LTRIM", key, "0", "0"), RedisCommand("PEXPIRE", key, "1"), RedisCommand("ZREMRANGEBYSCORE", key, "0", "0"),
            RedisCommand("ZCARD", key), RedisCommand("ZRANGE", key, "0", "0"), RedisCommand("ZADD", key, "XX", "0", "a"),
            RedisCommand("SCRIPT LOAD", "return 1"), RedisCommand("EVALSHA", String(repeating: "0", count: 40), "1", key),
            // No connection has this number.
            RedisCommand("CLIENT KILL", "ID", "0"),
        ]
    }()
    /// Reading and writing a key of each kind that is not there.
    private static let kinds = CacheKind.allCases.map { kind in
        let key = CacheKey(kind, "farwatch-doctor")
        return (
            pattern: key.text.replacing("{farwatch-doctor}", with: "*"), probes: [RedisCommand("MGET", key.text), RedisCommand("UNLINK", key.text)]
        )
    }

    static func missing(_ connection: RedisConnection) throws(RedisError) -> [String] {
        let answers = try connection.pipeline(probes)
        let commands = zip(probes, answers).filter { $1.error?.reason == .permission }.map { probe, _ in probe.name }
        // Where the commands are not allowed, nothing is found out of the keys.
        guard !commands.contains(where: { ["MGET", "UNLINK"].contains($0) }) else { return commands }
        var keys: [String] = []
        for kind in kinds where try connection.pipeline(kind.probes).contains(where: { $0.error?.reason == .permission }) {
            keys.append("use keys " + kind.pattern)
        }
        return commands + keys
    }
}
