import Synchronization

extension RedisDeployment {
    /// Sends all commands, each to the server that has its keys, and reads their answers; see `RedisConnection.pipeline`.
    /// - Parameter runs: those of the servers that may be asked; nil for any.
    package func pipeline(_ commands: [RedisCommand], in runs: Set<String>? = nil) async throws(RedisError) -> [RedisValue] {
        guard let map = state.withLock({ $0.map }) else {
            return try await nodes.first.run { (connection) throws(RedisError) in try connection.check(runs).pipeline(commands) }
        }
        var plan = PipelinePlan(commands)
        for round in 0...Redirect.max {
            let errands = plan.errands(by: map)
            if errands.isEmpty { break }
            var isAgain = false
            for (address, answers) in try await send(errands, runs) {
                for (errand, answer) in zip(errands[address] ?? [], answers) {
                    let redirect = plan.take(answer, for: errand.part, from: address.host, isLast: round == Redirect.max)
                    if let redirect { note(redirect) }
                    if redirect == .again { isAgain = true }
                }
            }
            if isAgain { try? await Task.sleep(for: Self.pause(round)) }
        }
        return plan.answers
    }

    /// Runs the commands, whose keys are in one slot, as one; see `RedisConnection.transaction`.
    package func transaction(_ commands: [RedisCommand], in runs: Set<String>? = nil) async throws(RedisError) -> [RedisValue] {
        let keys = commands.flatMap { $0.arguments[CommandKeys.places($0)] }
        return try await atSlot(of: keys, "MULTI", runs) { (connection, isAsking) throws(RedisError) in
            try connection.transaction(commands, isAsking: isAsking)
        }
    }

    /// Runs a script, whose keys are in one slot; see `RedisConnection.run`.
    package func run(
        _ script: RedisScript, keys: [String], _ arguments: [String] = [], in runs: Set<String>? = nil
    ) async throws(RedisError) -> RedisValue {
        try await atSlot(of: keys.map { Array($0.utf8) }, "EVALSHA", runs) { (connection, isAsking) throws(RedisError) in
            try connection.run(script, keys: keys, arguments, isAsking: isAsking)
        }
    }

    // MARK: Nodes

    private typealias NodeAnswers = (address: NodeAddress, answers: Result<[RedisValue], RedisError>)

    /// At all nodes at once. When one of them fails nobody knows what it has done, and all of it has failed.
    private func send(
        _ errands: [NodeAddress: [PipelinePlan.Errand]], _ runs: Set<String>?
    ) async throws(RedisError) -> [(NodeAddress, [RedisValue])] {
        var pools: [(NodeAddress, RedisPool)] = []
        for address in errands.keys { pools.append((address, try nodes.pool(of: address))) }
        let told = await withTaskGroup(of: NodeAnswers.self) { group in
            for (address, pool) in pools {
                let own = errands[address] ?? []
                group.addTask {
                    do throws(RedisError) {
                        return (address, .success(try await pool.run { (connection) throws(RedisError) in try connection.check(runs).run(own) }))
                    } catch { return (address, .failure(error)) }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        var all: [(NodeAddress, [RedisValue])] = []
        for node in told {
            if case .failure = node.answers { state.withLock { $0.isStale = true } }
            all.append((node.address, try node.answers.get()))
        }
        return all
    }

    private func atSlot<Value: Sendable>(
        of keys: [[UInt8]], _ operation: String, _ runs: Set<String>?,
        _ body: @Sendable (RedisConnection, _ isAsking: Bool) throws(RedisError) -> Value
    ) async throws(RedisError) -> Value {
        guard let map = state.withLock({ $0.map }) else {
            return try await nodes.first.run { (connection) throws(RedisError) in try body(connection.check(runs), false) }
        }
        let slots = Set(keys.map(KeySlot.of))
        guard slots.count <= 1 else { throw RedisError(.cluster, operation: operation, code: "CROSSSLOT", detail: "its keys are in several slots") }
        guard var address = slots.first.map(map.owner) ?? map.primaries.first else {
            throw RedisError(.notReady, operation: operation, detail: "no node of the cluster has the keys' slot" + map.said)
        }
        var isAsking = false
        for round in 0... {
            do throws(RedisError) {
                let asking = isAsking
                return try await nodes.pool(of: address).run { (connection) throws(RedisError) in try body(connection.check(runs), asking) }
            } catch {
                guard round < Redirect.max, let redirect = Redirect(error, toldBy: address.host) else { throw error }
                note(redirect)
                switch redirect {
                case .moved(_, let node): (address, isAsking) = (node, false)
                case .asked(let node): (address, isAsking) = (node, true)
                case .again: try? await Task.sleep(for: Self.pause(round))
                }
            }
        }
        preconditionFailure("the last round has an answer")
    }

    /// Keys of one command are on their way: soon they are all there.
    private static func pause(_ round: Int) -> Duration { .milliseconds(5 << min(round, 5)) }
}

extension RedisConnection {
    /// This connection, when its server is in one of these runs.
    package func check(_ runs: Set<String>?) throws(RedisError) -> RedisConnection {
        guard let runs else { return self }
        guard let serverRunId, runs.contains(serverRunId) else {
            throw RedisError(.anotherRun, operation: "use a connection", detail: "the server was started anew, or is another one")
        }
        return self
    }

    /// Which node has which slot, as the server says; nil when it is no cluster's node.
    package func slots() throws(RedisError) -> SlotMap? {
        guard isOfCluster else { return nil }
        let host: String? = if case .tcp(let host, _) = options.address { host } else { nil }
        return try SlotMap(slots: run(RedisCommand("CLUSTER SLOTS")), toldBy: host, at: options.place)
    }

    /// The answers to errands, one each.
    fileprivate func run(_ errands: [PipelinePlan.Errand]) throws(RedisError) -> [RedisValue] {
        var answers: [RedisValue] = []
        answers.reserveCapacity(errands.count)
        var rest = errands[...]
        while !rest.isEmpty {
            // With ASKING each is two.
            let part = rest.prefix(options.limits.commandsMax / 2)
            rest = rest.dropFirst(part.count)
            let told = try pipeline(part.flatMap(\.commands))
            var at = 0
            for errand in part {
                at += errand.commands.count
                answers.append(told[at - 1])
            }
        }
        return answers
    }
}
