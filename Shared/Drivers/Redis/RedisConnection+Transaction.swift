extension RedisConnection {
    /// Runs the commands in MULTI and EXEC: nobody else's come between them, and none runs when one of them cannot be queued. A command that
    /// fails when it runs does not undo the others; it is an error among the answers.
    /// - Parameter isAsking: when a cluster's node said that the keys' slot is on its way to this one.
    package func transaction(_ commands: [RedisCommand], isAsking: Bool = false) throws(RedisError) -> [RedisValue] {
        if commands.isEmpty { return [] }
        // It counts for all of a transaction that follows.
        let asking = isAsking ? [RedisCommand("ASKING")] : []
        let answers = try pipeline(asking + [RedisCommand("MULTI")] + commands + [RedisCommand("EXEC")])
        // The command that was refused says more than EXEC, which only gives up.
        for answer in answers.dropLast() { if let error = answer.error { throw error } }
        switch try answers[answers.count - 1].get() {
        case .array(let results) where results.count == commands.count: return results
        case .null: throw RedisError(.aborted, operation: "EXEC", detail: "a watched key has changed")
        default: throw RedisError(.decoding, operation: "EXEC", detail: "the answers are not as many as the commands")
        }
    }

    /// Runs a script by its number, which the server tells when it is given the script: it may forget it at any time.
    /// - Parameter isAsking: when a cluster's node said that the keys' slot is on its way to this one.
    package func run(
        _ script: RedisScript, keys: [String], _ arguments: [String] = [], isAsking: Bool = false
    ) throws(RedisError) -> RedisValue {
        let asking = isAsking ? [RedisCommand("ASKING")] : []
        if let number = scripts[script.source] {
            let answer = try pipeline(asking + [script.command(number, keys, arguments)])[asking.count]
            guard answer.error?.reason == .noScript else { return try answer.get() }
        }
        guard let number = try run(RedisCommand("SCRIPT LOAD", script.source)).text else {
            throw RedisError(.decoding, operation: "SCRIPT LOAD", detail: "the script has no number")
        }
        scripts[script.source] = number
        return try pipeline(asking + [script.command(number, keys, arguments)])[asking.count].get()
    }
}

/// A script that the server runs as a whole. Its keys are told to it as such, so that a cluster finds them.
package struct RedisScript: Sendable {
    package let source: String

    package init(_ source: String) { self.source = source }

    func command(_ number: String, _ keys: [String], _ arguments: [String]) -> RedisCommand {
        RedisCommand("EVALSHA", ([number, String(keys.count)] + keys + arguments).map { Array($0.utf8) })
    }
}
