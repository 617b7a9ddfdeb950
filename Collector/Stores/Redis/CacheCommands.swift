import CacheStores
import RedisDriver

/// The cache's work as Redis' commands.
enum CacheCommands {
    /// Keys of one command: the server works at nothing else meanwhile.
    static let keysMax = 1_000

    /// - Parameter isFull: whether there are more keys of a kind than its bound; then nothing is added, and nothing older may stay.
    static func write(_ write: CacheWrite, isFull: (CacheKind) -> Bool) -> [RedisCommand] {
        let kind = write.key.kind
        let key = Array(write.key.text.utf8)
        guard write.value.count <= kind.valueBytesMax, !isFull(kind) else { return write.isAdd ? [] : [RedisCommand("UNLINK", [key])] }
        let milliseconds = Array(String(kind.timeToLive.components.seconds * 1_000).utf8)
        switch write {
        case .set(_, let value): return [RedisCommand("SET", [key, value, Array("PX".utf8), milliseconds])]
        case .add(_, let value): return [RedisCommand("SET", [key, value, Array("PX".utf8), milliseconds, Array("NX".utf8)])]
        case .append(_, let value):
            return [
                RedisCommand("LPUSH", [key, value]), RedisCommand("LTRIM", [key, Array("0".utf8), Array(String(kind.elementsMax - 1).utf8)]),
                RedisCommand("PEXPIRE", [key, milliseconds]),
            ]
        }
    }

    /// One for each key: what is not there stays so.
    static func touch(_ keys: [CacheKey]) -> [RedisCommand] {
        keys.map { RedisCommand("PEXPIRE", $0.text, String($0.kind.timeToLive.components.seconds * 1_000)) }
    }

    static func get(_ keys: [CacheKey]) -> [RedisCommand] { inParts("MGET", keys.map(\.text)) }
    static func remove(_ keys: [String]) -> [RedisCommand] { inParts("UNLINK", keys) }

    private static func inParts(_ name: String, _ keys: [String]) -> [RedisCommand] {
        stride(from: 0, to: keys.count, by: keysMax).map { start in
            RedisCommand(name, keys[start..<min(keys.count, start + keysMax)].map { Array($0.utf8) })
        }
    }

    /// Counts what was admitted within a window that moves with time, by the server's clock, so that all collectors count together. Refused ones are
    /// not counted. Answers: admitted or not, how many more, milliseconds until the oldest leaves the window; nothing when there is no window yet and
    /// the last argument says that there may be no more of them.
    static let admission = RedisScript(
        """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
        redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
        local count = redis.call('ZCARD', KEYS[1])
        if count == 0 and ARGV[4] == '1' then return {} end
        if count >= limit then
            local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
            return {0, 0, math.max(1, oldest[2] + window - now)}
        end
        redis.call('ZADD', KEYS[1], now, ARGV[3])
        redis.call('PEXPIRE', KEYS[1], window)
        return {1, limit - count - 1, 0}
        """)
}
