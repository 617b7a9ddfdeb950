import CacheStores
import LinuxDriver
import RedisDriver
import ServiceSupport
import Synchronization

/// The make of the cache on Redis, shared by collectors. Works while `run` runs.
///
/// What copies the stores is kept in this process too and read there first, so that losing the server slows nothing that this collector has written
/// itself. What is asked of the server is waited for only so long, and not asked at all while a breaker is open. What it may hold that is older than
/// the stores is not read: see `LostWrites`. A server that does not say which run it is in is not used: that it was started anew would go unnoticed.
package final class RedisCache: Cache {
    struct State {
        var breaker = CacheBreaker()
        var lost = LostWrites()
        /// The runs of the servers whose content is known not to be older than the stores, one of each node of a cluster; none before they were looked at.
        var trustedRuns: Set<String> = []
        /// Kinds of which there are more keys than there may be.
        var full: Set<CacheKind> = []
        var counts = RedisCacheCounts()
        var failure: RedisError?
        /// What the server said last against anything, milliseconds since boot.
        var refusal: (error: RedisError, at: Int64)?
        var serverName: String?
        var metrics: RedisCacheMetrics?
    }

    let options: RedisCacheOptions
    let servers: RedisDeployment
    let memory: MemoryCache
    let state = Mutex(State())
    private let order = WriteOrder()

    package init(_ options: RedisCacheOptions) {
        self.options = options
        servers = RedisDeployment(options.server, limits: options.pool)
        memory = MemoryCache()
    }

    // MARK: Reading

    package func get(_ keys: [CacheKey]) async -> [CacheKey: [UInt8]] {
        var found = await memory.get(keys.filter(\.kind.isCopy))
        let missing = keys.filter { found[$0] == nil }
        if missing.isEmpty { return counted(found, of: keys.count, fromServer: 0) }
        let (asked, suspect, isAdmitted) = state.withLock { state in
            (missing.filter { !state.lost.isSuspect($0) }, missing.filter { state.lost.isSuspect($0) }, state.isAdmitted)
        }
        let answers = isAdmitted ? await ask(CacheCommands.get(asked)) : nil
        // What only the cache knows was kept here for when the server cannot say it, or has not heard it.
        found.merge(await memory.get((answers == nil ? missing : suspect).filter { !$0.kind.isCopy })) { $1 }
        guard let answers else { return counted(found, of: keys.count, fromServer: 0) }
        let values = matched(answers, to: asked)
        // What another collector has ended or changed is not brought back by this one when the server is away.
        if !answers.contains(where: { $0.error != nil }) { memory.follow(values, of: asked.filter { !$0.kind.isCopy }) }
        found.merge(values) { $1 }
        return counted(found, of: keys.count, fromServer: values.count)
    }

    /// Each answer is of as many keys as a command has; one that was refused has none.
    private func matched(_ answers: [RedisValue], to asked: [CacheKey]) -> [CacheKey: [UInt8]] {
        var found: [CacheKey: [UInt8]] = [:]
        for (index, answer) in answers.enumerated() {
            let keys = asked.dropFirst(index * CacheCommands.keysMax).prefix(CacheCommands.keysMax)
            if let error = answer.error { note(error) }
            guard let values = answer.array, values.count == keys.count else { continue }
            for (key, value) in zip(keys, values) { if let bytes = value.bytes { found[key] = bytes } }
        }
        return found
    }

    package func recent(_ key: CacheKey) async -> [[UInt8]] {
        guard state.withLock({ $0.isAdmitted && !$0.lost.isSuspect(key) }) else { return [] }
        return await ask([RedisCommand("LRANGE", key.text, "0", "-1")])?.first?.array?.compactMap(\.bytes) ?? []
    }

    private func counted(_ found: [CacheKey: [UInt8]], of asked: Int, fromServer: Int) -> [CacheKey: [UInt8]] {
        state.withLock { state in
            state.counts.hits += found.count
            state.counts.misses += asked - found.count
            state.counts.serverHits += fromServer
        }
        return found
    }

    package var counts: CacheCounts { state.withLock { CacheCounts(hits: $0.counts.hits, misses: $0.counts.misses) } }

    // MARK: Writing

    package func write(_ writes: [CacheWrite]) async {
        if writes.isEmpty { return }
        // Lists are read from the server alone.
        await memory.write(writes.filter { !$0.isAppend })
        let full = state.withLock { $0.full }
        let commands = writes.map { CacheCommands.write($0) { full.contains($0) } }
        await send(zip(writes, commands).filter { !$1.isEmpty }.map { ($0.key, $1, $0.isAdd) })
    }

    package func remove(_ keys: [CacheKey]) async {
        if keys.isEmpty { return }
        await memory.remove(keys)
        await send(keys.map { ($0, [RedisCommand("UNLINK", $0.text)], false) })
    }

    /// A key, and what is done to it; where nothing there is changed, nothing older stays when it is not done.
    private typealias Change = (key: CacheKey, commands: [RedisCommand], isAdd: Bool)

    /// Sends commands that change keys; what did not reach the server is remembered.
    private func send(_ changes: [Change]) async {
        var rest = changes[...]
        while !rest.isEmpty {
            // A pipeline has its bounds.
            let part = rest.prefix(Self.changesMax)
            rest = rest.dropFirst(part.count)
            let lost = await sendInTurn(Array(part))
            if lost.isEmpty { continue }
            state.withLock { state in
                state.lost.lost(lost)
                state.counts.lostWrites += lost.count
            }
        }
    }

    /// Three commands each at most.
    private static let changesMax = 3_000

    /// The keys whose changes did not reach the server.
    private func sendInTurn(_ changes: [Change]) async -> [CacheKey] {
        let all = changes.filter { !$0.isAdd }.map(\.key)
        guard state.withLock({ $0.isAdmitted }), await order.enter() else { return all }
        let answers = state.withLock { $0.isAdmitted } ? await ask(changes.flatMap(\.commands)) : nil
        await order.leave()
        guard let answers else { return all }
        var lost: [CacheKey] = []
        var at = 0
        for change in changes {
            let own = answers[at..<(at + change.commands.count)]
            at += change.commands.count
            if let error = own.firstNonNil(\.error) {
                if !change.isAdd { lost.append(change.key) }
                note(error)
            }
        }
        return lost
    }

    package func touch(_ keys: [CacheKey]) async -> Set<CacheKey> {
        let here = await memory.touch(keys)
        let (asked, isAdmitted) = state.withLock { state in (keys.filter { !state.lost.isSuspect($0) }, state.isAdmitted) }
        guard isAdmitted, let answers = await ask(CacheCommands.touch(asked)) else { return here }
        return here.subtracting(asked).union(zip(asked, answers).filter { $1.integer == 1 }.map(\.0))
    }

    // MARK: Limits

    package func admit(_ key: CacheKey, _ limit: RateLimit) async -> Admission {
        let (isAdmitted, isFull) = state.withLock { ($0.isAdmitted, $0.full.contains(key.kind)) }
        guard isAdmitted else { return await memory.admit(key, limit) }
        // While there are too many, those that are there go on being counted on the server, and others in this process.
        let arguments = [String(limit.count), String(limit.windowMilliseconds), String(Random.uint64()), isFull ? "1" : "0"]
        let answer = await ask { [servers] (runs) async throws(RedisError) in
            try await servers.run(CacheCommands.admission, keys: [key.text], arguments, in: runs)
        }
        guard let numbers = answer?.array?.compactMap(\.integer), numbers.count == 3 else { return await memory.admit(key, limit) }
        return Admission(isAdmitted: numbers[0] == 1, remaining: Int(clamping: numbers[1]), retryAfter: .milliseconds(numbers[2]))
    }

    // MARK: Asking

    private func ask(_ commands: [RedisCommand]) async -> [RedisValue]? {
        commands.isEmpty ? [] : await ask { [servers] (runs) async throws(RedisError) in try await servers.pipeline(commands, in: runs) }
    }

    /// nil when there is no answer, or none from a server that may be believed.
    private func ask<Value: Sendable>(_ body: @Sendable (Set<String>) async throws(RedisError) -> Value) async -> Value? {
        let began = ContinuousClock.now
        let runs = state.withLock { $0.trustedRuns }
        guard !runs.isEmpty else { return nil }
        do throws(RedisError) {
            let value = try await body(runs)
            let isSlow = ContinuousClock.now - began > options.slowAfter
            state.withLock { if isSlow { $0.breaker.failed(at: Clock.system.boot()) } else { $0.breaker.succeeded() } }
            return value
        } catch {
            if error.reason == .anotherRun {
                // It has what it had saved, or what came to it as a replica: that may be from any time.
                state.withLock { $0.distrust() }
                return nil
            }
            note(error)
            state.withLock { $0.breaker.failed(at: Clock.system.boot()) }
            return nil
        }
    }

    func note(_ error: RedisError) {
        let metrics = state.withLock { state in
            state.failure = error
            state.refusal = (error, Clock.system.boot())
            return state.metrics
        }
        metrics?.failed(error.reason)
    }
}

extension RedisCache.State {
    /// Whether the server is asked at all.
    var isAdmitted: Bool { breaker.isClosed && !trustedRuns.isEmpty }

    mutating func distrust() {
        trustedRuns = []
        lost.lostAll()
    }
}

extension Sequence {
    fileprivate func firstNonNil<Value>(_ value: (Element) -> Value?) -> Value? {
        for element in self { if let found = value(element) { return found } }
        return nil
    }
}
