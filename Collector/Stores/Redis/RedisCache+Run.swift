import CacheStores
import LinuxDriver
import RedisDriver
import Synchronization

extension RedisCache {
    /// How often it is looked whether something is to be made good.
    private static let checkInterval: Duration = .milliseconds(200)
    /// How often the keys of each kind are counted, in checks.
    private static let countChecks = 300

    /// Keeps the cache until the task is cancelled.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.servers.run() }
            group.addTask { await self.watch() }
        }
    }

    private func watch() async {
        var checks = 0
        var abandoned: [AbandonedConnection] = []
        while !Task.isCancelled {
            await recover(&abandoned)
            if state.withLock({ $0.isAdmitted }) {
                if checks % Self.countChecks == 0 { await count() }
                checks += 1
            }
            try? await Task.sleep(for: Self.checkInterval)
        }
    }

    // MARK: Recovery

    /// Asks a server that was left alone how it does, and removes what it holds that may be older than the stores.
    /// - Parameter abandoned: connections on which something may still be on its way to it.
    private func recover(_ abandoned: inout [AbandonedConnection]) async {
        let (isProbe, snapshot) = state.withLock { state in
            let isProbe = state.breaker.beginProbe(at: Clock.system.boot())
            let isDue = isProbe || state.breaker.isClosed && (!state.lost.isEmpty || state.trustedRuns.isEmpty)
            return (isProbe, isDue ? state.lost.snapshot : nil)
        }
        guard let snapshot else { return }
        abandoned = (abandoned + servers.takeAbandoned()).suffix(Self.abandonedMax)
        let began = ContinuousClock.now
        do throws(RedisError) {
            try await servers.look()
            for pool in try servers.pools() { _ = try await pool.pipeline([RedisCommand("PING")])[0].get() }
            let isSlow = ContinuousClock.now - began > options.slowAfter
            let (runs, name) = try await clean(snapshot, abandoned)
            // Those of another run are kept: an address may lead to one server and then to the other again.
            abandoned.removeAll { runs.contains($0.runId) }
            state.withLock { state in
                state.trustedRuns = runs
                state.serverName = name
                state.lost.removed(snapshot)
                state.failure = nil
                if isProbe { state.breaker.endProbe(isWell: !isSlow, at: Clock.system.boot()) }
            }
        } catch {
            note(error)
            state.withLock { state in
                let now = Clock.system.boot()
                if isProbe { state.breaker.endProbe(isWell: false, at: now) } else { state.breaker.failed(at: now) }
            }
        }
    }

    private static let abandonedMax = 256

    /// The runs of the servers on which all of it was done, and their name.
    private func clean(
        _ snapshot: LostWrites.Snapshot, _ abandoned: [AbandonedConnection]
    ) async throws(RedisError) -> (runs: Set<String>, name: String?) {
        for _ in 0..<Self.meetingsMax {
            let known = try servers.pools().count
            do throws(RedisError) { return try await cleanAll(snapshot, abandoned) } catch {
                // A key was on its way to a node that nobody had met before: from now on it is one of them.
                guard error.reason == .anotherRun, try servers.pools().count > known else { throw error }
            }
        }
        return try await cleanAll(snapshot, abandoned)
    }

    /// New nodes that are met while one recovery goes on.
    private static let meetingsMax = 8

    private func cleanAll(
        _ snapshot: LostWrites.Snapshot, _ abandoned: [AbandonedConnection]
    ) async throws(RedisError) -> (runs: Set<String>, name: String?) {
        var runs: Set<String> = []
        var name: String?
        for pool in try servers.pools() {
            let (run, itsName) = try await pool.run { (connection) throws(RedisError) in try Self.greet(connection, abandoned) }
            runs.insert(run)
            name = itsName
        }
        let keys = snapshot.keys.map(\.text)
        for start in stride(from: 0, to: keys.count, by: CacheCommands.keysMax) {
            try await remove(Array(keys[start..<min(keys.count, start + CacheCommands.keysMax)]), runs)
        }
        if snapshot.isAll { try await sweep(runs) }
        return (runs, name)
    }

    private static func greet(_ connection: RedisConnection, _ abandoned: [AbandonedConnection]) throws(RedisError) -> (run: String, name: String?) {
        guard let run = connection.serverRunId else {
            let detail = "without a run_id a restart would go unnoticed: let the server's user do +info"
            throw RedisError(.permission, operation: "INFO", detail: detail)
        }
        // What a connection that was given up has sent, a server that stood still may have yet to read: it must not come after what follows. Without
        // the right to do so, a value that comes late lives until its time is over. In another run the numbers are those of strangers.
        let own = abandoned.filter { $0.runId == run }
        _ = try connection.pipeline(own.map { RedisCommand("CLIENT KILL", "ID", String($0.clientId)) })
        return (run, connection.serverName)
    }

    /// Removes all copies, whoever wrote them. Keys of a cluster may be on their way from a node that was not swept yet to one that was: they are there
    /// the second time.
    private func sweep(_ runs: Set<String>) async throws(RedisError) {
        for _ in 0..<(servers.primaries == nil ? 1 : 2) {
            for pool in try servers.pools() { try await sweep(pool, runs) }
        }
    }

    private func sweep(_ pool: RedisPool, _ runs: Set<String>) async throws(RedisError) {
        let total = try await ask(pool, RedisCommand("DBSIZE"), runs).integer ?? 0
        let callsMax = SweepBound.calls(keys: total, pageKeys: Self.pageKeys)
        var (calls, cursor) = (0, "0")
        repeat {
            guard calls < callsMax else {
                let detail = "\(pool.address): no end after \(calls) calls for \(total) keys; what answers may be no Redis"
                throw RedisError(.protocolError, operation: "SCAN", detail: detail)
            }
            let page = try await scan(pool, cursor, runs)
            try await remove(page.keys.filter { CacheKind(of: $0)?.isCopy == true }, runs)
            (calls, cursor) = (calls + 1, page.next)
        } while cursor != "0"
    }

    private func remove(_ keys: [String], _ runs: Set<String>) async throws(RedisError) {
        if keys.isEmpty { return }
        for answer in try await servers.pipeline(CacheCommands.remove(keys), in: runs) { _ = try answer.get() }
    }

    // MARK: Counting

    /// Pages looked at for a count: beyond it the rest is taken to be like them.
    private static let countPagesMax = 20
    private static let pageKeys = 1_000

    /// Counts the keys of each kind, or samples them where they are many. A kind that is over its bound gets no more.
    private func count() async {
        do throws(RedisError) {
            let runs = state.withLock { $0.trustedRuns }
            var counts: [CacheKind: Int] = [:]
            for pool in try servers.pools() { counts.merge(try await count(on: pool, runs), uniquingKeysWith: +) }
            found(counts)
        } catch { note(error) }
    }

    private func count(on pool: RedisPool, _ runs: Set<String>) async throws(RedisError) -> [CacheKind: Int] {
        let total = try await ask(pool, RedisCommand("DBSIZE"), runs).integer ?? 0
        var counts: [CacheKind: Int] = [:]
        var (seen, pages, cursor) = (0, 0, "0")
        repeat {
            let page = try await scan(pool, cursor, runs)
            for key in page.keys { if let kind = CacheKind(of: key) { counts[kind, default: 0] += 1 } }
            (seen, pages, cursor) = (seen + page.keys.count, pages + 1, page.next)
        } while cursor != "0" && pages < Self.countPagesMax
        let scale = cursor == "0" || seen == 0 ? 1 : max(1, Double(total) / Double(seen))
        return counts.mapValues { Int(Double($0) * scale) }
    }

    private func found(_ counts: [CacheKind: Int]) {
        let metrics = state.withLock { state in
            state.full = Set(counts.filter { $0.value > $0.key.keysMax }.keys)
            return state.metrics
        }
        metrics?.found(counts)
    }

    // MARK: Asking

    private func scan(_ pool: RedisPool, _ cursor: String, _ runs: Set<String>) async throws(RedisError) -> (keys: [String], next: String) {
        let answer = try await ask(pool, RedisCommand("SCAN", cursor, "COUNT", String(Self.pageKeys)), runs).array ?? []
        guard answer.count == 2, let next = answer[0].text, let keys = answer[1].array else {
            throw RedisError(.decoding, operation: "SCAN", detail: "the answer is not a cursor and keys")
        }
        return (keys.compactMap(\.text), next)
    }

    /// Asks a server while it is in one of these runs.
    private func ask(_ pool: RedisPool, _ command: RedisCommand, _ runs: Set<String>) async throws(RedisError) -> RedisValue {
        try await pool.run { (connection) throws(RedisError) in try connection.check(runs).run(command) }
    }
}
