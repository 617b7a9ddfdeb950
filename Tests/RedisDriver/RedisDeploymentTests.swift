import Foundation
import RedisDriver
import RedisFixtures
import ServiceSupport
import Testing

/// Against real clusters of three.
@Suite(.timeLimit(.minutes(10)), .enabled(if: RedisMake.redis.missing == nil, Comment(rawValue: RedisMake.redis.missing ?? "")))
struct RedisDeploymentTests {
    /// Runs `body` with a deployment that runs and knows the cluster.
    private func with<Value: Sendable>(_ options: RedisOptions, _ body: @Sendable (RedisDeployment) async throws -> Value) async throws -> Value {
        var limits = PoolLimits()
        limits.connectionsMin = 1
        limits.connectionsMax = 3
        let deployment = RedisDeployment(options, limits: limits)
        return try await withThrowingTaskGroup { group in
            group.addTask { await deployment.run() }
            while (try? await deployment.look()) == nil { try await Task.sleep(for: .milliseconds(20)) }
            let value = try await body(deployment)
            group.cancelAll()
            return value
        }
    }

    @Test(arguments: RedisMake.available)
    func `a pipeline goes to all nodes and its answers come in order`(_ make: RedisMake) async throws {
        let id = UUID().uuidString
        try await with(SharedRedisCluster.cluster(make).options) { deployment in
            #expect(deployment.primaries?.count == 3)
            let keys = (0..<12_000).map { "{\(id)-\($0)}" }
            let answers = try await deployment.pipeline(keys.enumerated().map { RedisCommand("SET", $1, String($0)) })
            #expect(answers.count == keys.count && answers.allSatisfy { $0 == .status("OK") })
            let values = try await deployment.pipeline([RedisCommand("PING"), RedisCommand("MGET", keys.reversed().map { Array($0.utf8) })])
            #expect(values[1].array?.compactMap(\.text) == (0..<keys.count).reversed().map(String.init))
            let sums = try await deployment.pipeline([RedisCommand("UNLINK", (keys + ["none"]).map { Array($0.utf8) })])
            #expect(sums == [.integer(Int64(keys.count))])
            #expect(deployment.redirects == 0)
        }
    }

    @Test func `transactions and scripts go to the node of their slot, and are refused for several`() async throws {
        try await with(SharedRedisCluster.cluster(.redis).options) { deployment in
            let script = RedisScript("redis.call('INCRBY', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])")
            for number in 0..<20 {
                let key = "{" + UUID().uuidString + "}"
                let results = try await deployment.transaction([RedisCommand("SET", key + "a", "1"), RedisCommand("INCR", key + "a")])
                #expect(results == [.status("OK"), .integer(2)])
                #expect(try await deployment.run(script, keys: [key + "a"], [String(number)]).text == String(number + 2))
            }
            let error = await #expect(throws: RedisError.self) {
                try await deployment.transaction([RedisCommand("SET", "foo", "1"), RedisCommand("SET", "bar", "1")])
            }
            #expect(error?.code == "CROSSSLOT" && error?.isTransient == false)
        }
    }

    @Test func `a slot that moves is followed, key by key, and known when it has moved`() async throws {
        let cluster = try RedisCluster()
        let tag = "{moving}"
        let slot = KeySlot.of(Array(tag.utf8))
        try await with(cluster.options) { deployment in
            let script = RedisScript("return redis.call('MGET', unpack(KEYS))")
            _ = try await deployment.pipeline((0..<10).map { RedisCommand("SET", tag + String($0), String($0)) })
            let target = try #require(try cluster.nodes.first { try $0.port != cluster.owner(of: slot).port })
            try cluster.beginMove(of: slot, to: target)
            try cluster.moveKeys(of: slot, to: target, most: 5)
            // Some are here, some there, and a new one.
            let answers = try await deployment.pipeline((0..<11).map { RedisCommand("GET", tag + String($0)) })
            #expect(answers.map(\.text) == (0..<10).map { String($0) } + [nil])
            #expect(try await deployment.pipeline([RedisCommand("SET", tag + "new", "1"), RedisCommand("INCR", tag + "new")])[1] == .integer(2))
            #expect(try await deployment.run(RedisScript("return redis.call('INCR', KEYS[1])"), keys: [tag + "new"]) == .integer(3))
            #expect(try await deployment.transaction([RedisCommand("INCR", tag + "new"), RedisCommand("GET", tag + "new")])[0] == .integer(4))
            #expect(deployment.redirects > 0)
            // Of several keys at once some are on their way: in vain, until they are all there.
            let split = await #expect(throws: RedisError.self) { try await deployment.run(script, keys: (0..<10).map { tag + String($0) }) }
            #expect(split?.code == "TRYAGAIN" && split?.isTransient == true)
            try cluster.moveKeys(of: slot, to: target)
            try cluster.endMove(of: slot, to: target)
            #expect(try await deployment.run(script, keys: (0..<10).map { tag + String($0) }).array?.count == 10)
            let redirects = deployment.redirects
            _ = try await deployment.pipeline([RedisCommand("GET", tag + "1")])
            #expect(deployment.redirects == redirects)
        }
    }

    @Test func `of several nodes that are named one has to be there, and each has to be a cluster's`() async throws {
        let cluster = try RedisCluster()
        cluster.nodes[0].kill()
        let named = "127.0.0.1:\(cluster.nodes[0].port),127.0.0.1:\(cluster.nodes[1].port)"
        try await with(try RedisOptions("redis://" + named)) { #expect($0.primaries?.count == 3) }
        let single = try RedisServer()
        for (other, reason) in [(single.port, RedisErrorReason.configuration), (cluster.nodes[0].port, .unreachable)] {
            var options = try RedisOptions("redis://127.0.0.1:\(cluster.nodes[0].port),127.0.0.1:\(other)")
            options.connectTimeout = .seconds(20)
            let error = await #expect(throws: RedisError.self) { try await RedisSession.open(options) }
            #expect(error?.reason == reason && error?.detail.contains("127.0.0.1:\(other)") == true, "\(error?.detail ?? "")")
        }
    }

    @Test func `a node that hangs is named, and so is who says that no node has a slot`() async throws {
        let cluster = try RedisCluster()
        var options = cluster.options
        options.commandTimeout = .milliseconds(500)
        options.connectTimeout = .milliseconds(500)
        let node = try cluster.owner(of: KeySlot.of(Array("bar".utf8)))
        try await with(options) { deployment in
            _ = try await deployment.pipeline([RedisCommand("GET", "bar")])
            node.pause()
            for _ in 0..<10 {
                let error = await #expect(throws: RedisError.self) { try await deployment.pipeline([RedisCommand("GET", "bar")]) }
                #expect(error?.detail.contains("127.0.0.1:\(node.port)") == true, "\(error?.detail ?? "")")
            }
            node.resume()
        }
        var plan = PipelinePlan([RedisCommand("GET", "bar")])
        _ = plan.errands(by: try SlotMap(slots: .array([]), toldBy: "10.0.0.1", at: "10.0.0.1:7000"))
        #expect(plan.answers[0].error?.detail.contains("10.0.0.1:7000") == true)
    }

    @Test func `one server is one, and what it was started anew as is not asked`() async throws {
        let server = try RedisServer()
        try await with(server.options) { deployment in
            #expect(deployment.primaries == nil)
            let run = try #require(try server.connect().serverRunId)
            #expect(try await deployment.pipeline([RedisCommand("PING")], in: [run]) == [.status("PONG")])
            let error = await #expect(throws: RedisError.self) { try await deployment.pipeline([RedisCommand("PING")], in: ["another"]) }
            #expect(error?.reason == .anotherRun)
        }
    }

    @Test func `a cluster that lacks a node says so, and may be asked again`() async throws {
        let cluster = try RedisCluster()
        try await with(cluster.options) { deployment in
            cluster.nodes[2].kill()
            // Who is left notices after the nodes' time-out.
            var error: RedisError?
            while error?.code != "CLUSTERDOWN" {
                do throws(RedisError) { error = try await deployment.pipeline([RedisCommand("GET", "bar")])[0].error } catch {}
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(error?.isTransient == true)
            try cluster.nodes[2].start()
            while try await deployment.pipeline([RedisCommand("GET", "bar")])[0].error != nil { try await Task.sleep(for: .milliseconds(50)) }
        }
    }
}
