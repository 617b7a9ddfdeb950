import RedisDriver
import RedisStores
import Settings

/// The server that is the cache: whether it is reached, what it is, and whether it is set up as a cache.
struct RedisCheck: DoctorCheck {
    /// CLIENT ID is of 5.
    private static let versionLeast = 5

    let options: RedisCacheOptions

    func findings() async -> [DoctorFinding] {
        do throws(RedisError) {
            let place = options.server.description
            let (findings, map) = try await ask(options.server) { (connection) throws(RedisError) in
                let facts = ServerFacts(try connection.run(RedisCommand("INFO")).text ?? "")
                var findings = Self.findings(facts, "\(place) is \(connection.serverName ?? "a server that tells no version")")
                let map = try connection.slots()
                if map == nil, facts["run_id"] != nil { findings += try Self.state(facts, connection) }
                return (findings, map)
            }
            guard let map else { return findings }
            return findings + (await cluster(map))
        } catch {
            return [.problem("redis", "\(error); the collector works without it, from memory and the stores", Self.remedy(error.reason))]
        }
    }

    private func ask<Value: Sendable>(
        _ server: RedisOptions, _ body: @Sendable (RedisConnection) throws(RedisError) -> Value
    ) async throws(RedisError) -> Value {
        let session = try await RedisSession.open(server)
        let result: Result<Value, RedisError>
        do throws(RedisError) { result = .success(try await session.run(body)) } catch { result = .failure(error) }
        await session.close()
        return try result.get()
    }

    // MARK: Clusters

    /// Whether each node can be reached where the cluster says that it is, has room, and lets the user do what is to be done.
    private func cluster(_ map: SlotMap) async -> [DoctorFinding] {
        guard map.isComplete else {
            return [.problem("redis cluster", "not all slots have a node", "redis-cli --cluster check tells which, --cluster fix mends it")]
        }
        var findings: [DoctorFinding] = []
        var reached = 0
        for address in map.primaries.prefix(Self.nodesMax) {
            var server = options.server
            server.address = .tcp(host: address.host, port: address.port)
            do throws(RedisError) {
                findings += try await ask(server) { (connection) throws(RedisError) in
                    try Self.state(ServerFacts(try connection.run(RedisCommand("INFO")).text ?? ""), connection, "\(address): ")
                }
                reached += 1
            } catch {
                let remedy = "\(Self.remedy(error.reason)); nodes are asked where they announce themselves (cluster-announce-ip, -hostname, -port)"
                findings.append(.problem("redis cluster", "\(error)", remedy))
            }
        }
        guard reached == min(map.primaries.count, Self.nodesMax) else { return findings }
        return [.ok("redis cluster", "\(map.primaries.count) nodes have the keys, and are reached")] + findings
    }

    /// Nodes that are asked, so that it takes a bounded time.
    private static let nodesMax = 16

    private static func findings(_ facts: ServerFacts, _ name: String) -> [DoctorFinding] {
        if let version = facts["redis_version"]?.split(separator: ".").first.flatMap({ Int($0) }), version < versionLeast {
            return [.problem("redis", name, "use Redis 5 or later, or Valkey")]
        }
        if facts["run_id"] == nil {
            let detail = "\(name), without a run_id: the collector would not notice a restart, and does not use it"
            return [.problem("redis", detail, "name a Redis or Valkey server in cache.redis.uri")]
        }
        var findings = [DoctorFinding.ok("redis", name)]
        // A cluster's replica knows where the primaries are.
        if facts["role"] == "slave", !facts.isOfCluster {
            findings.append(.problem("redis writing", "the server is a replica: nothing can be written", "name the primary in cache.redis.uri"))
        }
        return findings
    }

    /// Of a server with keys: its memory, and what the user may not do there.
    /// - Parameter place: before what is told; empty for a server that is no cluster's.
    private static func state(_ facts: ServerFacts, _ connection: RedisConnection, _ place: String = "") throws(RedisError) -> [DoctorFinding] {
        let missing = try RedisRights.missing(connection)
        guard !missing.isEmpty else { return [memory(facts, place)] }
        let detail = place + "the user may not " + missing.joined(separator: ", ")
        return [memory(facts, place), .problem("redis rights", detail, remedy(.permission))]
    }

    private static func memory(_ facts: ServerFacts, _ place: String) -> DoctorFinding {
        let used = place + Amount.bytes(facts["used_memory"].flatMap(Double.init) ?? 0)
        let most = facts["maxmemory"].flatMap(Double.init) ?? 0
        guard most > 0 else { return .advice("redis memory", "\(used) used, without a bound", "set maxmemory, and maxmemory-policy volatile-lru") }
        let policy = facts["maxmemory_policy"] ?? "unknown"
        let detail = "\(used) used of \(Amount.bytes(most)), policy \(policy)"
        if policy == "noeviction", facts["used_memory"].flatMap(Double.init) ?? 0 >= most {
            return .problem("redis memory", detail + ": nothing can be written", "set maxmemory-policy volatile-lru, or a larger maxmemory")
        }
        return policy == "noeviction" ? .advice("redis memory", detail, "set maxmemory-policy volatile-lru") : .ok("redis memory", detail)
    }

    private static func remedy(_ reason: RedisErrorReason) -> String {
        switch reason {
        case .authentication: "check the user in cache.redis.uri, cache.redis.password_file and the server's users (ACL)"
        case .permission: "let the user do what Packaging/redis/users.acl lists"
        case .configuration: "check the database in cache.redis.uri"
        case .unreachable, .disconnected, .timedOut, .protocolError, .cancelled:
            "start the server, or check cache.redis.uri (rediss:// where TLS is spoken) and what lies between"
        case .notReady, .busy: "the server is loading or busy; try again"
        case .tooManyConnections, .poolExhausted, .poolClosed: "raise the server's maxclients"
        case .unsupportedServer: "use Redis 5 or later, or Valkey"
        case .tls: "check cache.redis.ca_file, certificate_file and key_file, and the server's certificate"
        case .readOnly, .outOfMemory, .writesRefused, .noScript, .anotherRun, .cluster, .wrongType, .aborted, .tooMuch, .decoding, .failed:
            "look into the server's log"
        }
    }
}
