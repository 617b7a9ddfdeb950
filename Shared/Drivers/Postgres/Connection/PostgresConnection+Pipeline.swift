import CPostgres

/// A statement with its values, for a pipeline.
package struct PostgresCommand: Sendable {
    package let sql: String
    package let values: [PostgresValue]

    package init(_ sql: String, _ values: [PostgresValue] = []) {
        self.sql = sql
        self.values = values
    }
}

extension PostgresConnection {
    /// Commands of one pipeline: their answers wait in memory.
    package static let pipelineCommandsMax = 1_000

    /// Sends all commands and reads their answers after it: one round trip for all of them. Outside of a transaction they are one of their own: all
    /// or none. The first that fails ends it; the error says which it was.
    package func pipeline(_ commands: [PostgresCommand]) throws(PostgresError) -> [PostgresRows] {
        guard commands.count <= Self.pipelineCommandsMax else {
            throw PostgresError(.tooMuch, operation: "pipeline", detail: "\(commands.count) commands, \(Self.pipelineCommandsMax) is the most")
        }
        guard !commands.isEmpty else { return [] }
        return try exchange("pipeline") { () throws(PostgresError) in
            var prepared: [PreparedStatement] = []
            for command in commands { prepared.append(try self.prepared(command.sql, Self.firstWords(of: command.sql, Self.wordsTold))) }
            guard PQenterPipelineMode(handle) == 1 else { throw disconnected("pipeline") }
            let answers = try sendAndReceive(commands, prepared)
            guard PQexitPipelineMode(handle) == 1 else { throw disconnected("pipeline") }
            return try answers.get()
        }
    }

    private func sendAndReceive(_ commands: [PostgresCommand], _ statements: [PreparedStatement]) throws(PostgresError) -> Answers {
        var answers = Answers()
        var sent = 0
        for (command, statement) in zip(commands, statements) {
            do throws(PostgresError) { try send(statement, command.values, Self.operation(sent, command)) } catch {
                // Refused here before anything of it went out; what was sent before is undone by a command that fails.
                answers.failure = error
                break
            }
            sent += 1
            // The server keeps its answers back until a sync otherwise, and they are what renews the deadline.
            guard PQsendFlushRequest(handle) == 1 else { throw disconnected("pipeline") }
            try flush("pipeline")
            // The server takes what is sent as it gets on with what was.
            renewDeadline()
        }
        // A statement that the server cannot know makes it abandon the commands before.
        if answers.failure != nil, PQsendQueryPrepared(handle, "farwatch_none", 0, nil, nil, nil, 1) != 1 { throw disconnected("pipeline") }
        guard PQpipelineSync(handle) == 1 else { throw disconnected("pipeline") }
        try flush("pipeline")
        let operations = (0..<sent).map { Self.operation($0, commands[$0]) } + (answers.failure == nil ? [] : ["end a pipeline"])
        for operation in operations {
            // "PQgetResult … returns NULL to indicate that there are no more results for this query": one NULL ends each command.
            while let result = try nextResult(operation) { answers.take(result, operation) }
            renewDeadline()
        }
        while let result = try nextResult("pipeline") { if result.status == PGRES_PIPELINE_SYNC { return answers } }
        return answers
    }

    private static func operation(_ index: Int, _ command: PostgresCommand) -> String {
        "run command " + String(index + 1) + " of a pipeline, " + firstWords(of: command.sql, wordsTold)
    }

    private struct Answers {
        var rows: [PostgresRows] = []
        var failure: PostgresError?

        mutating func take(_ result: PostgresResult, _ operation: String) {
            if let error = result.error(operation) { failure = failure ?? error } else { rows.append(PostgresRows(result)) }
        }

        func get() throws(PostgresError) -> [PostgresRows] {
            if let failure { throw failure }
            return rows
        }
    }
}
