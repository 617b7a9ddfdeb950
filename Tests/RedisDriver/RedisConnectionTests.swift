import Foundation
import RedisDriver
import RedisFixtures
import Testing

@Suite(.timeLimit(.minutes(5)), .enabled(if: RedisMake.redis.missing == nil, Comment(rawValue: RedisMake.redis.missing ?? "")))
struct RedisConnectionTests {
    private let key = "{" + UUID().uuidString + "}"

    private func bytes(_ texts: String...) -> [[UInt8]] { texts.map { Array($0.utf8) } }

    @Test(arguments: RedisMake.available)
    func `every kind of answer is read`(_ make: RedisMake) throws {
        let connection = try SharedRedis.server(make).connect()
        let value = [UInt8](0...255)
        #expect(try connection.run(RedisCommand("SET", [Array(key.utf8), value])) == .status("OK"))
        #expect(try connection.run(RedisCommand("GET", key)) == .bytes(value))
        #expect(try connection.run(RedisCommand("GET", key + "none")) == .null)
        #expect(try connection.run(RedisCommand("INCRBY", key + "n", "-9223372036854775808")) == .integer(.min))
        #expect(try connection.run(RedisCommand("RPUSH", key + "l", "", "b")) == .integer(2))
        #expect(try connection.run(RedisCommand("LRANGE", key + "l", "0", "-1")) == .array([.bytes([]), .bytes([0x62])]))
        #expect(try connection.run(RedisCommand("LRANGE", key + "none", "0", "-1")) == .array([]))
        let nested = try connection.run(RedisCommand("EVAL", "return {1, {2, {false}}, redis.status_reply('ok')}", "0"))
        #expect(nested == .array([.integer(1), .array([.integer(2), .array([.null])]), .status("ok")]))
        #expect(connection.serverName?.hasPrefix(make == .redis ? "Redis " : "Valkey ") == true)
        #expect(connection.serverRunId?.count == 40 && connection.clientId ?? 0 > 0)
        #expect(try connection.run(RedisCommand("CLIENT GETNAME")).text == "farwatch")
    }

    @Test func `a refused command tells its code, and no key or value`() throws {
        let connection = try SharedRedis.server().connect()
        _ = try connection.run(RedisCommand("RPUSH", key, "geheim"))
        let wrong = #expect(throws: RedisError.self) { try connection.run(RedisCommand("GET", key)) }
        #expect(wrong?.reason == .wrongType && wrong?.code == "WRONGTYPE" && wrong?.operation == "GET")
        let unknown = #expect(throws: RedisError.self) { try connection.run(RedisCommand("NEVERHEARD", "geheim")) }
        #expect(unknown?.reason == .unsupportedServer && unknown?.description.contains("geheim") == false)
        #expect(connection.isConnected)
    }

    @Test func `a pipeline is one round trip, and a refused command does not harm the others`() throws {
        let connection = try SharedRedis.server().connect()
        let commands = (0..<10_000).map { RedisCommand("SET", key + String($0), String($0)) }
        #expect(try connection.pipeline(commands).allSatisfy { $0 == .status("OK") })
        let answers = try connection.pipeline([
            RedisCommand("INCR", key), RedisCommand("LPUSH", key, "a"), RedisCommand("INCR", key), RedisCommand("GET", key + "77"),
        ])
        #expect(answers[0] == .integer(1) && answers[2] == .integer(2) && answers[3] == .bytes(Array("77".utf8)))
        #expect(answers[1].error?.reason == .wrongType)
        #expect(try connection.pipeline([]).isEmpty)
    }

    @Test func `answers larger than all buffers come while the pipeline is still on its way`() throws {
        let connection = try SharedRedis.server().connect()
        let large = [UInt8](repeating: 7, count: 1 << 20)
        _ = try connection.run(RedisCommand("SET", [Array(key.utf8), large]))
        // Both directions hold megabytes at once.
        let echoes = (0..<16).map { _ in RedisCommand("ECHO", [large]) } + (0..<16).map { _ in RedisCommand("GET", key) }
        #expect(try connection.pipeline(echoes).allSatisfy { $0 == .bytes(large) })
    }

    @Test func `what is too much is refused, before it is sent and while it comes`() throws {
        var options = try SharedRedis.server().options
        options.limits.commandsMax = 3
        options.limits.commandBytesMax = 1_000
        options.limits.replyBytesMax = 100_000
        options.limits.replyElementsMax = 1_000
        let connection = try RedisConnection(options)
        let many = #expect(throws: RedisError.self) { try connection.pipeline((0..<4).map { _ in RedisCommand("PING") }) }
        #expect(many?.reason == .tooMuch)
        let long = #expect(throws: RedisError.self) { try connection.run(RedisCommand("ECHO", String(repeating: "a", count: 1_000))) }
        #expect(long?.reason == .tooMuch && connection.isConnected)
        let elements = #expect(throws: RedisError.self) {
            try connection.run(RedisCommand("EVAL", "local t = {} for i = 1, 1001 do t[i] = i end return t", "0"))
        }
        #expect(elements?.reason == .tooMuch && !connection.isConnected)
        let other = try RedisConnection(options)
        let bytes = #expect(throws: RedisError.self) { try other.run(RedisCommand("EVAL", "return string.rep('a', 200000)", "0")) }
        #expect(bytes?.reason == .tooMuch && !other.isConnected)
        #expect(throws: RedisError.self) { try other.run(RedisCommand("PING")) }
    }

    @Test func `a transaction is all or nothing when it cannot be queued`() throws {
        let connection = try SharedRedis.server().connect()
        let set = RedisCommand("SET", key, "1")
        #expect(try connection.transaction([set, RedisCommand("INCR", key)]) == [.status("OK"), .integer(2)])
        let error = #expect(throws: RedisError.self) { try connection.transaction([RedisCommand("INCR", key), RedisCommand("GET")]) }
        #expect(error?.operation == "GET" && error?.reason == .failed)
        #expect(try connection.run(RedisCommand("GET", key)).text == "2")
        let answers = try connection.transaction([RedisCommand("LPUSH", key, "a"), RedisCommand("INCR", key)])
        #expect(answers[0].error?.reason == .wrongType && answers[1] == .integer(3))
        #expect(try connection.transaction([]).isEmpty)
    }

    @Test func `a script is sent once, and again when the server has forgotten it`() throws {
        let server = try RedisServer()
        let connection = try server.connect()
        let script = RedisScript("return {KEYS[1], ARGV[1]}")
        for _ in 0..<2 { #expect(try connection.run(script, keys: [key], ["x"]).array?.compactMap(\.text) == [key, "x"]) }
        #expect(try server.run("INFO", "commandstats").text?.contains("cmdstat_script|load:calls=1") == true)
        try server.run("SCRIPT", "FLUSH")
        #expect(try connection.run(script, keys: [key], ["y"]).array?.last?.text == "y")
        #expect(throws: RedisError.self) { try connection.run(RedisScript("return ("), keys: []) }
    }

    @Test func `a Unix socket and another database are as good`() throws {
        let server = try SharedRedis.server()
        var options = try RedisOptions("unix://" + server.socket + "?db=5")
        options.commandTimeout = .seconds(20)
        let connection = try RedisConnection(options)
        _ = try connection.run(RedisCommand("SET", key, "5"))
        #expect(try server.connect().run(RedisCommand("GET", key)) == .null)
        let wrong = #expect(throws: RedisError.self) { try RedisConnection(RedisOptions("unix://" + server.socket + "?db=99")) }
        #expect(wrong?.reason == .configuration && wrong?.operation == "connect")
        let missing = #expect(throws: RedisError.self) { try RedisConnection(RedisOptions("unix:///nowhere/redis.sock")) }
        #expect(missing?.reason == .unreachable && missing?.detail.contains("/nowhere/redis.sock") == true)
    }

    @Test(arguments: RedisMake.available)
    func `users come in by their password, and may do what they may`(_ make: RedisMake) throws {
        let server = try RedisServer(
            make, users: ["user default off", "user collector on >geheim ~device:* +@read +@write +ping +select", "user nobody on >geheim -@all"])
        func connect(_ user: String?, _ password: String?) throws(RedisError) -> RedisConnection {
            var options = server.options
            options.user = user
            options.password = password
            return try RedisConnection(options)
        }
        let connection = try connect("collector", "geheim")
        #expect(connection.clientId == nil && connection.serverRunId == nil)
        #expect(try connection.run(RedisCommand("SET", "device:1", "1")) == .status("OK"))
        #expect(throws: RedisError.self) { try connection.run(RedisCommand("SET", "other", "1")) }
        for (user, password, reason) in [
            (nil, nil, RedisErrorReason.authentication), ("collector", "falsch", .authentication), (nil, "geheim", .authentication),
            ("nobody", "geheim", .permission),
        ] as [(String?, String?, RedisErrorReason)] {
            let error = #expect(throws: RedisError.self) { try connect(user, password) }
            #expect(error?.reason == reason, "\(String(describing: error))")
            #expect(error?.description.contains("geheim") == false && error?.description.contains("falsch") == false)
        }
    }

    @Test func `a server that answers nothing is given up in time, and one that is gone is told as such`() throws {
        let server = try RedisServer()
        var options = server.options
        options.commandTimeout = .milliseconds(200)
        let connection = try RedisConnection(options)
        let other = try server.connect()
        server.pause()
        let late = #expect(throws: RedisError.self) { try connection.run(RedisCommand("PING")) }
        #expect(late?.reason == .timedOut && !connection.isUsable)
        options.connectTimeout = .milliseconds(200)
        let dead = #expect(throws: RedisError.self) { try RedisConnection(options) }
        #expect(dead?.reason == .timedOut && dead?.operation == "connect")
        server.resume()
        #expect(try other.run(RedisCommand("PING")) == .status("PONG"))
        server.kill()
        while other.isConnected { usleep(10_000) }
        let gone = #expect(throws: RedisError.self) { try other.run(RedisCommand("PING")) }
        #expect(gone?.reason == .disconnected && gone?.isTransient == true)
        let refused = #expect(throws: RedisError.self) { try RedisConnection(options) }
        #expect(refused?.reason == .unreachable)
        let unknown = #expect(throws: RedisError.self) { try RedisConnection(RedisOptions("redis://no-such-host.invalid")) }
        #expect(unknown?.reason == .unreachable)
    }

    @Test func `a server that is full, a replica and one with enough clients say so`() throws {
        let full = try RedisServer(settings: ["--maxmemory", "1"])
        #expect(throws: RedisError.self) { try full.run("SET", key, "1") }
        let error = #expect(throws: RedisError.self) { try full.run("SET", key, "1") }
        #expect(error?.reason == .outOfMemory && error?.isTransient == true)
        let replica = try RedisServer(settings: ["--replicaof", "127.0.0.1", "1"])
        let readOnly = #expect(throws: RedisError.self) { try replica.run("SET", key, "1") }
        #expect(readOnly?.reason == .readOnly)
        let few = try RedisServer(settings: ["--maxclients", "2"])
        // Whoever looked whether it is ready may still be one of them.
        var held: [RedisConnection] = []
        let many = #expect(throws: RedisError.self) { while held.count < 3 { held.append(try few.connect()) } }
        #expect(many?.reason == .tooManyConnections, "\(String(describing: many))")
    }
}
