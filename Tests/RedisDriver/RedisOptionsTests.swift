import RedisDriver
import Testing

@Suite struct RedisOptionsTests {
    @Test(
        arguments: [
            ("redis://cache", RedisOptions.Address.tcp(host: "cache", port: 6_379), nil, nil, 0),
            ("redis://cache:7000/3", .tcp(host: "cache", port: 7_000), nil, nil, 3),
            ("redis://:pa%40ss@cache/", .tcp(host: "cache", port: 6_379), nil, "pa@ss", 0),
            ("redis://collector:a:b@[::1]:1", .tcp(host: "::1", port: 1), "collector", "a:b", 0),
            ("redis://collector@10.0.0.1", .tcp(host: "10.0.0.1", port: 6_379), "collector", nil, 0),
            ("unix:///run/redis/a%20b.sock", .unix(path: "/run/redis/a b.sock"), nil, nil, 0),
            ("unix:///run/redis.sock?db=15", .unix(path: "/run/redis.sock"), nil, nil, 15),
            ("unix://collector@/run/redis.sock", .unix(path: "/run/redis.sock"), "collector", nil, 0),
            ("unix://collector:a%2Fb@/run/redis.sock?db=1", .unix(path: "/run/redis.sock"), "collector", "a/b", 1),
        ] as [(String, RedisOptions.Address, String?, String?, Int)])
    func `an address is read`(_ text: String, _ address: RedisOptions.Address, _ user: String?, _ password: String?, _ database: Int) throws {
        let options = try RedisOptions(text)
        #expect(options.address == address && options.user == user && options.password == password && options.database == database)
        #expect(!String(describing: options).contains("pa"))
    }

    @Test(arguments: [
        "", "cache:6379", "redis://", "redis://:geheim@", "redis://geheim@cache:0", "redis://cache:65536", "redis://cache:x", "redis://cache/x",
        "redis://cache/-1", "redis://cache/4096", "redis://[::1", "redis://[::1]x", "redis://a%zz@cache", "redis://a%0@cache", "redis://a%00@cache",
        "redis://a,", "redis://,a", "redis://a,b/1",
        "redis://" + String(repeating: "a,", count: 16) + "a",
        "unix://run/redis", "unix://geheim", "unix:///run/redis?password=geheim", "http://cache", "redis://ca che",
    ])
    func `what is no address is refused, and no password is told`(_ text: String) {
        let error = #expect(throws: RedisError.self) { try RedisOptions(text) }
        #expect(error?.reason == .configuration && error?.description.contains("geheim") == false)
    }

    @Test func `several nodes of a cluster are named with commas, and are tried in order`() throws {
        let options = try RedisOptions("rediss://collector:gehe,im@a:1,[::1]:2,c/")
        #expect(options.each.map(\.address) == [.tcp(host: "a", port: 1), .tcp(host: "::1", port: 2), .tcp(host: "c", port: 6_379)])
        #expect(options.description == "a:1,[::1]:2,c:6379/0" && options.password == "gehe,im")
        #expect(options.each.allSatisfy { $0.tls != nil && $0.user == "collector" && $0.others.isEmpty })
    }

    @Test func `rediss is the same by TLS`() throws {
        let options = try RedisOptions("rediss://collector:geheim@cache:6380/2")
        #expect(options.address == .tcp(host: "cache", port: 6_380) && options.user == "collector" && options.database == 2)
        #expect(options.tls == RedisTLS() && !options.description.contains("geheim"))
        #expect(try RedisOptions("redis://cache").tls == nil)
    }

    @Test(arguments: [
        ("NOAUTH Authentication required.", RedisErrorReason.authentication), ("WRONGPASS invalid username-password pair", .authentication),
        ("NOPERM this user has no permissions", .permission), ("LOADING Redis is loading", .notReady), ("READONLY You can't write", .readOnly),
        ("OOM command not allowed", .outOfMemory), ("MISCONF Redis is configured to save", .writesRefused), ("BUSY Redis is busy", .busy),
        ("NOSCRIPT No matching script", .noScript), ("MOVED 3999 127.0.0.1:6381", .cluster), ("CROSSSLOT Keys in request", .cluster),
        ("WRONGTYPE Operation against", .wrongType), ("EXECABORT Transaction discarded", .aborted),
        ("ERR max number of clients reached", .tooManyConnections),
        ("ERR unknown command 'X', with args beginning with: 'geheim'", .unsupportedServer),
        ("ERR DB index is out of range", .configuration), ("ERR AUTH <password> called without any password", .authentication),
        ("ERR syntax error", .failed), ("", .failed), ("\u{1B}[31mred\n", .failed),
    ])
    func `an answer's first word says what it means`(_ answer: String, _ reason: RedisErrorReason) {
        let error = RedisError(answer: answer, operation: "GET")
        #expect(error.reason == reason)
        #expect(!error.description.contains("geheim") && !error.detail.contains("\u{1B}") && !error.detail.contains("\n"))
    }
}
