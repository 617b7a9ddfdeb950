import Foundation
import RedisDriver
import RedisFixtures
import Testing

extension Integration {
    /// The collector with a real Redis server as its cache.
    @Suite(.enabled(if: RedisMake.redis.missing == nil, Comment(rawValue: RedisMake.redis.missing ?? "")))
    struct RedisCacheTests {
        private static let devices = 30

        /// Each device with what it last measured.
        private func latest(_ stage: Stage) async throws -> [String: String] {
            let devices = try #require(try await stage.json("/v1/devices")["devices"] as? [[String: Any]])
            return Dictionary(
                uniqueKeysWithValues: try devices.map { device in
                    let latest = try JSONSerialization.data(withJSONObject: [device["latest"]], options: .sortedKeys)
                    return (try #require(device["id"] as? String), String(decoding: latest, as: UTF8.self))
                })
        }

        private func deliver(_ stage: Stage, _ seed: Int) throws {
            let fleet = try RunningProcess(
                Programs.fleetSimulator,
                stage.fleetArguments([
                    "--devices", "\(Self.devices)", "--interval", "0.1", "--seal-age", "0.3", "--for", "2s", "--drain", "120", "--seed", "\(seed)",
                ]), logPath: stage.directory + "/fleet.log")
            #expect(fleet.waitForExit() == 0, "\(fleet.log)\n\(stage.logs)")
        }

        @Test func `with the server stopped, flushed or standing still every answer is that of the stores`() async throws {
            let server = try RedisServer(settings: ["--save", "3600 1"])
            let stage = try Stage()
            stage.settings["FARWATCH_CACHE_REDIS_URI"] = "unix://" + server.socket
            try stage.startBroker()
            try stage.startCollector()
            try await stage.waitForCollector()
            try await stage.wait("the collector has its cache") { try await stage.metric("farwatch_redis_available") == 1 }
            // One on the same stores without Redis tells what is right. Whoever listens first has the broker's messages; both may.
            let judge = try Stage()
            judge.settings = stage.collectorEnvironment
            judge.settings["FARWATCH_CACHE_REDIS_URI"] = ""
            judge.settings["FARWATCH_HTTP_PORT"] = "\(judge.httpPort)"
            func agree(_ when: String) async throws {
                try judge.startCollector()
                defer { judge.collector?.kill() }
                try await judge.waitForCollector()
                try await stage.wait("both say the same " + when) {
                    let (ours, theirs) = (try await latest(stage), try await latest(judge))
                    return ours.count == Self.devices && ours == theirs
                }
                #expect(try await stage.get("/readyz").status == 200)
            }
            try deliver(stage, 1)
            try await stage.wait("what was committed is in Redis") { try server.keys("device:*:status").count == Self.devices }
            #expect(try server.keys("device:*:metrics").count == Self.devices)
            try await agree("with Redis")

            try server.run("FLUSHALL")
            try deliver(stage, 2)
            try await agree("with Redis flushed")

            try server.run("SAVE")
            server.kill()
            try deliver(stage, 3)
            try await agree("with Redis stopped")
            let ready = try await stage.json("/readyz")
            #expect((ready["details"] as? [String: String])?["cache"]?.hasPrefix("without Redis") == true)
            // It comes back with what it had saved, which is older.
            try server.start()
            try await stage.wait("Redis is asked again") { try await stage.metric("farwatch_redis_available") == 1 }
            try await agree("with Redis as it was once")

            server.pause()
            try deliver(stage, 4)
            try await agree("with Redis standing still")
            #expect(try await stage.metric("farwatch_redis_breaker_opened_total") > 0)
            server.resume()
            try await stage.wait("Redis is asked again", seconds: 60) { try await stage.metric("farwatch_redis_available") == 1 }
            try await agree("with Redis going on")
            // After a restart it has only what is written anew.
            #expect(stage.collector?.terminate() == 0)
            try stage.startCollector()
            try await stage.waitForCollector()
            try await agree("after a restart")
            _ = try await latest(stage)
            #expect(try await stage.metric("farwatch_cache_hits_total") >= Double(Self.devices))
        }

        @Test func `on a cluster every node has its share, doctor reaches them all, and one that is lost loses nothing`() async throws {
            let cluster = try RedisCluster()
            let stage = try Stage()
            stage.settings["FARWATCH_CACHE_REDIS_URI"] = cluster.uri
            try stage.startBroker()
            let doctor = try RunningProcess.run(Programs.collector, ["doctor"], environment: stage.collectorEnvironment)
            #expect(doctor.code == 0 && doctor.output.contains("3 nodes have the keys, and are reached"), "\(doctor.output)")
            for node in cluster.nodes { #expect(doctor.output.contains("127.0.0.1:\(node.port): "), "\(doctor.output)") }
            try cluster.nodes[1].run("ACL", "SETUSER", "default", "-unlink")
            let poor = try RunningProcess.run(Programs.collector, ["doctor"], environment: stage.collectorEnvironment)
            #expect(poor.code == 69 && poor.output.contains("127.0.0.1:\(cluster.nodes[1].port): the user may not UNLINK"), "\(poor.output)")
            try cluster.nodes[1].run("ACL", "SETUSER", "default", "+unlink")
            let numbered = stage.collectorEnvironment.merging(["FARWATCH_CACHE_REDIS_URI": cluster.uri + "/2"]) { $1 }
            let wrong = try RunningProcess.run(Programs.collector, ["doctor"], environment: numbered)
            #expect(wrong.code == 69 && wrong.output.contains("a cluster has no databases: leave out /2"), "\(wrong.output)")
            try stage.startCollector()
            try await stage.waitForCollector()
            func cacheDetail() async throws -> String? { (try await stage.json("/readyz")["details"] as? [String: String])?["cache"] }
            try await stage.wait("the collector has its cache", seconds: 120) { try await cacheDetail()?.hasSuffix("a cluster of 3") == true }
            try deliver(stage, 1)
            try await stage.wait("what was committed is in the cluster", seconds: 120) {
                try cluster.nodes.reduce(0) { $0 + (try $1.keys("device:*:status").count) } == Self.devices
            }
            #expect(try cluster.nodes.allSatisfy { try !$0.keys("device:*").isEmpty })
            #expect(try await stage.metric("farwatch_redis_cluster_nodes") == 3)
            #expect(try await stage.metric("farwatch_redis_errors_total") == 0)
            let before = try await latest(stage)
            cluster.nodes[2].kill()
            #expect(try await latest(stage) == before)
            try deliver(stage, 2)
            #expect(try await latest(stage).count == Self.devices)
            try await stage.wait("the cluster is told as lost", seconds: 120) { try await cacheDetail()?.hasPrefix("without Redis") == true }
            let ill = try RunningProcess.run(Programs.collector, ["doctor"], environment: stage.collectorEnvironment)
            #expect(ill.code == 69 && ill.output.contains("redis cluster") && ill.output.contains("cluster-announce"), "\(ill.output)")
            try cluster.nodes[2].start()
            try await stage.wait("the cluster is asked again", seconds: 120) { try await cacheDetail()?.hasSuffix("a cluster of 3") == true }
            #expect(stage.collector?.terminate() == 0)
        }

        @Test func `an address that cannot be meant is a mistake in the configuration, and no password is told`() throws {
            let stage = try Stage()
            let file = stage.directory + "/collector.yaml"
            let certificate = stage.directory + "/certificate.pem"
            try "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n".write(toFile: certificate, atomically: true, encoding: .utf8)
            for (settings, wrong) in [
                ("uri: \"redis://:geheim@cache:x\"\n    connections_max: 0\n    timeout: 1ms", ["uri", "connections_max", "timeout"]),
                ("uri: \"rediss://:geheim@cache\"\n    ca_file: /nowhere", ["ca_file: cannot read /nowhere"]),
                ("uri: rediss://cache\n    certificate_file: \(certificate)", ["certificate_file: there is no private key in it", "key_file"]),
                ("uri: redis://collector@cache", ["uri"]),
                ("password_file: /nowhere", ["password_file"]), ("uri: redis://cache\n    password_file: /nowhere", ["password_file: cannot read"]),
            ] {
                try "cache:\n  redis:\n    \(settings)\n".write(toFile: file, atomically: true, encoding: .utf8)
                let checked = try RunningProcess.run(Programs.collector, ["check-config", "--config", file])
                #expect(checked.code == 78)
                for text in wrong { #expect(checked.output.contains(text), "\(checked.output)") }
                #expect(!checked.output.contains("geheim"))
            }
        }

        @Test func `doctor says what the server is, and what to do about one that cannot be had`() throws {
            let server = try RedisServer(settings: ["--maxmemory", "100mb", "--maxmemory-policy", "noeviction"])
            let stage = try Stage()
            try stage.startBroker()
            func doctor(_ uri: String) throws -> (code: Int32, output: String) {
                try RunningProcess.run(
                    Programs.collector, ["doctor"], environment: stage.collectorEnvironment.merging(["FARWATCH_CACHE_REDIS_URI": uri]) { $1 })
            }
            let well = try doctor(server.uri)
            #expect(well.code == 0 && well.output.contains(" is Redis ") && well.output.contains("100.0 MiB, policy noeviction"), "\(well.output)")
            #expect(well.output.contains("volatile-lru"))
            let wrong = try doctor("redis://collector:falsch@127.0.0.1:\(server.port)")
            #expect(wrong.code == 69 && wrong.output.contains("WRONGPASS") && wrong.output.contains("cache.redis.password_file"), "\(wrong.output)")
            #expect(!wrong.output.contains("falsch"))
            try server.run(
                "ACL", "SETUSER", "poor", "on", ">geheim", "+@all", "-client|kill", "~cert:*", "~tx:*", "~chain:*", "~query:*", "~ratelimit:*")
            let poor = try doctor("redis://poor:geheim@127.0.0.1:\(server.port)")
            #expect(poor.code == 69 && poor.output.contains("may not CLIENT KILL, use keys device:*:status"), "\(poor.output)")
            #expect(poor.output.contains("use keys session:*") && !poor.output.contains("use keys query"), "\(poor.output)")
            try server.run("CONFIG", "SET", "maxmemory", "1")
            let full = try doctor(server.uri)
            #expect(full.code == 69 && full.output.contains("nothing can be written"), "\(full.output)")
            try server.run("CONFIG", "SET", "maxmemory", "0")
            try server.run("ACL", "SETUSER", "default", "-info")
            let blind = try doctor(server.uri)
            #expect(blind.code == 69 && blind.output.contains("NOPERM") && blind.output.contains("users.acl"), "\(blind.output)")
            server.kill()
            let gone = try doctor(server.uri)
            #expect(gone.code == 69 && gone.output.contains("Connection refused") && gone.output.contains("start the server"), "\(gone.output)")
            #expect(try doctor("http://127.0.0.1").code == 78)
        }

        @Test func `a collector whose password is wrong works without Redis and says why`() async throws {
            let server = try RedisServer(users: ["user default off", "user collector on >geheim ~* +@all"])
            let stage = try Stage()
            try "falsch\n".write(toFile: stage.directory + "/password", atomically: true, encoding: .utf8)
            stage.settings["FARWATCH_CACHE_REDIS_URI"] = "redis://collector@127.0.0.1:\(server.port)"
            stage.settings["FARWATCH_CACHE_REDIS_PASSWORD_FILE"] = stage.directory + "/password"
            try stage.startBroker()
            try stage.startCollector()
            try await stage.waitForCollector()
            try await stage.wait("the collector says what is wrong") {
                (try await stage.json("/readyz")["details"] as? [String: String])?["cache"]?.contains("authentication, WRONGPASS") == true
            }
            #expect(stage.collector?.terminate() == 0)
            #expect(stage.collector?.log.contains("falsch") == false)
        }
    }
}
