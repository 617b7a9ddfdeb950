import CacheStores
import Glibc
import RedisDriver
import RedisStores
import ServerFixtures
import Testing

/// A server that answers all that the cache asks, but whose keys never come to an end.
@Suite(.timeLimit(.minutes(10))) struct EndlessScanTests {
    @Test func `going through a server's keys has an end, and whoever looks is told`() async throws {
        let server = EndlessServer()
        var options = RedisOptions(.tcp(host: "127.0.0.1", port: server.port))
        options.connectTimeout = .seconds(20)
        let cache = RedisCache(RedisCacheOptions(options, timeout: .seconds(20)))
        await withTaskGroup { group in
            group.addTask { await cache.run() }
            while !cache.description.hasPrefix("without Redis, breaker open: Redis cannot SCAN") { try? await Task.sleep(for: .milliseconds(20)) }
            #expect(cache.description.contains("127.0.0.1:\(server.port): no end after 2004 calls for 1500 keys"), "\(cache.description)")
            #expect(!cache.isAvailable)
            group.cancelAll()
        }
    }
}

/// Has 1,500 keys, and always more of them at cursor 5.
private final class EndlessServer: Sendable {
    private let listener = LoopbackListener { EndlessServer.serve($0) }
    var port: Int { listener.port }

    /// What is asked comes as arrays of strings: `*2 $3 GET $1 a`, each on a line.
    private static func serve(_ client: Int32) {
        var pending: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while case let count = recv(client, &bytes, bytes.count, 0), count > 0 {
            pending += bytes[..<count]
            var answers = ""
            while let (words, end) = command(pending) {
                pending.removeFirst(end)
                answers += answer(words)
            }
            let wire = Array(answers.utf8)
            _ = send(client, wire, wire.count, Int32(MSG_NOSIGNAL))
        }
    }

    private static func command(_ bytes: [UInt8]) -> (words: [String], end: Int)? {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
        guard let header = lines.first, let count = Int(header.dropFirst()), lines.count > 1 + 2 * count else { return nil }
        let own = lines.prefix(1 + 2 * count)
        return (stride(from: 2, to: own.count, by: 2).map { String(own[$0]) }, own.reduce(0) { $0 + $1.utf8.count + 2 })
    }

    private static func answer(_ words: [String]) -> String {
        switch words[0] {
        case "SCAN": "*2\r\n$1\r\n5\r\n*1\r\n$21\r\ndevice:{a-b-c}:status\r\n"
        case "DBSIZE": ":1500\r\n"
        case "INFO": "$28\r\nredis_version:7.0.0\nrun_id:a\r\n"
        case "CLIENT": words[1] == "ID" ? ":1\r\n" : "+OK\r\n"
        case "PING": "+PONG\r\n"
        default: ":1\r\n"
        }
    }
}
