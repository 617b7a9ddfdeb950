import CHiredis
import Glibc
import LinuxDriver

/// One connection to one server, used from one thread at a time; calls block, for no longer than their time-out. `RedisSession` puts it on a thread
/// of its own.
///
/// hiredis makes the connection and reads the protocol. Waiting is a poll(2) of our own, and what is sent goes by send(2): hiredis' write(2) would
/// raise SIGPIPE. TLS is spoken by OpenSSL, whatever hiredis knows of it.
package final class RedisConnection {
    let options: RedisOptions
    let context: UnsafeMutablePointer<redisContext>
    /// Nil where the bytes go as they are.
    let tls: TLSChannel?
    private let limit: UnsafeMutablePointer<farwatch_reply_limit>
    /// The server's number for this connection; nil when its user may not ask.
    package private(set) var clientId: Int64?
    /// Changes whenever the server starts; nil when its user may not ask.
    package private(set) var serverRunId: String?
    /// E.g. `Redis 7.0.15`.
    package private(set) var serverName: String?
    /// Whether the server is a node of a cluster.
    package private(set) var isOfCluster = false
    /// The next exchange has a chance: connected, and no answer owed.
    package private(set) var isUsable = true
    /// The numbers that the server gave to scripts.
    var scripts: [String: String] = [:]

    package init(_ options: RedisOptions) throws(RedisError) {
        self.options = options
        context = try ConnectionAttempt.open(options)
        guard let limit = farwatch_limit_replies(context) else {
            redisFree(context)
            throw RedisError(.failed, operation: "connect", detail: "no memory")
        }
        do throws(RedisError) { tls = try TLSChannel.of(options) } catch {
            redisFree(context)
            free(limit)
            throw error
        }
        self.limit = limit
        try shakeHands()
        try greet()
    }

    deinit {
        redisFree(context)
        free(limit)
    }

    // MARK: Connecting

    /// All that a session begins with, in one round trip. What an ACL may forbid without harm is passed over.
    private func greet() throws(RedisError) {
        var commands: [RedisCommand] = []
        if let password = options.password {
            commands.append(RedisCommand("AUTH", ([options.user].compactMap { $0 } + [password]).map { Array($0.utf8) }))
        }
        if options.database != 0 { commands.append(RedisCommand("SELECT", String(options.database))) }
        let needed = commands.count + 1
        commands += [
            RedisCommand("PING"), RedisCommand("CLIENT SETNAME", options.clientName), RedisCommand("CLIENT ID"), RedisCommand("INFO", "server"),
        ]
        let answers: [RedisValue]
        do throws(RedisError) { answers = try pipeline(commands, within: options.connectTimeout) } catch {
            throw RedisError(error.reason, operation: "connect", code: error.code, detail: options.description + ": " + error.detail)
        }
        for answer in answers.prefix(needed) {
            if let error = answer.error {
                let isOfDatabase = error.detail.hasPrefix("SELECT is not allowed")
                let detail = isOfDatabase ? "a cluster has no databases: leave out /\(options.database)" : error.detail
                throw RedisError(error.reason, operation: "connect", code: error.code, detail: options.description + ": " + detail)
            }
        }
        clientId = answers[needed + 1].integer
        let facts = ServerFacts(answers[needed + 2].text ?? "")
        serverRunId = facts.runId
        serverName = facts.name
        isOfCluster = facts.isOfCluster
    }

    // MARK: Asking

    /// Whether the server has not hung up, as far as it can be known without asking. Costs one poll(2).
    package var isConnected: Bool {
        // What comes unasked is the end, or something that would be taken for the next answer.
        isUsable && SocketWait.events(POLLIN, on: context.pointee.fd, milliseconds: 0) == 0
    }

    /// Sends one command and waits for its answer.
    package func run(_ command: RedisCommand) throws(RedisError) -> RedisValue { try pipeline([command])[0].get() }

    /// Sends all commands and reads their answers, one each: a round trip for all of them. Commands that the server refuses are errors among the
    /// answers; the others are done.
    package func pipeline(_ commands: [RedisCommand]) throws(RedisError) -> [RedisValue] {
        let limits = options.limits
        guard commands.count <= limits.commandsMax, commands.reduce(0, { $0 + $1.bytesMax }) <= limits.commandBytesMax else {
            let bounds = "\(limits.commandsMax) commands and \(limits.commandBytesMax) bytes are the most"
            throw RedisError(.tooMuch, operation: commands[0].name, detail: "a pipeline of \(commands.count) commands; " + bounds)
        }
        return try pipeline(commands, within: options.commandTimeout)
    }

    private func pipeline(_ commands: [RedisCommand], within timeout: Duration) throws(RedisError) -> [RedisValue] {
        guard let first = commands.first else { return [] }
        guard isUsable else { throw RedisError(.disconnected, operation: first.name, detail: "the connection is closed") }
        var wire: [UInt8] = []
        for command in commands { command.encode(into: &wire) }
        if let tls {
            try tls.encrypt(wire, first.name)
            wire = tls.takeOutgoing()
        }
        limit.pointee.elements_left = options.limits.replyElementsMax
        // Until the last answer is there an error leaves answers owed, which the next exchange would take for its own.
        isUsable = false
        let answers = try exchange(wire, commands, until: Clock.system.boot() + max(1, timeout.wholeMilliseconds))
        guard context.pointee.reader.pointee.pos == context.pointee.reader.pointee.len else {
            throw RedisError(.protocolError, operation: first.name, detail: "more answers than questions")
        }
        isUsable = true
        return answers
    }

    private func exchange(_ wire: [UInt8], _ commands: [RedisCommand], until: Int64) throws(RedisError) -> [RedisValue] {
        var wire = wire
        var answers: [RedisValue] = []
        answers.reserveCapacity(commands.count)
        var sent = 0
        var receivedBytes = 0
        while answers.count < commands.count {
            let operation = commands[answers.count].name
            if let reply = try nextReply(operation) {
                answers.append(ReplyReader.value(takingOwnership: reply, operation: operation))
                continue
            }
            let left = until - Clock.system.boot()
            guard left > 0 else { throw RedisError(.timedOut, operation: operation, detail: "no answer in time; the connection is given up") }
            let wanted = POLLIN | (sent < wire.count ? POLLOUT : 0)
            let events = SocketWait.events(wanted, on: context.pointee.fd, milliseconds: Int32(clamping: left))
            // What comes is read first: a server that cannot get rid of its answers would never read on.
            if events & ~POLLOUT != 0 {
                receivedBytes += try read(operation, after: answers.last)
                // TLS may have something to say by itself.
                if let tls { wire += tls.takeOutgoing() }
                guard receivedBytes <= options.limits.replyBytesMax else {
                    throw RedisError(.tooMuch, operation: operation, detail: "more than \(options.limits.replyBytesMax) bytes of answers")
                }
            }
            if events & POLLOUT != 0 { sent += try send(wire, from: sent, operation) }
        }
        return answers
    }

    private func nextReply(_ operation: String) throws(RedisError) -> UnsafeMutableRawPointer? {
        var reply: UnsafeMutableRawPointer?
        guard redisGetReplyFromReader(context, &reply) == REDIS_OK else { throw failure(operation) }
        return reply
    }

    /// How many bytes came.
    /// - Parameter last: the answer before; a server that will not have us says why before it hangs up.
    private func read(_ operation: String, after last: RedisValue?) throws(RedisError) -> Int {
        if let tls {
            do throws(RedisError) { return try read(operation, by: tls) } catch {
                guard error.reason == .disconnected, let said = last?.error else { throw error }
                throw said
            }
        }
        let before = context.pointee.reader.pointee.len
        guard redisBufferRead(context) == REDIS_OK else { throw last?.error ?? failure(operation) }
        return max(0, Int(context.pointee.reader.pointee.len) - Int(before))
    }

    func send(_ wire: [UInt8], from start: Int, _ operation: String) throws(RedisError) -> Int {
        let count = wire.withUnsafeBytes { Glibc.send(context.pointee.fd, $0.baseAddress! + start, $0.count - start, Int32(MSG_NOSIGNAL)) }
        if count >= 0 { return count }
        guard errno == EAGAIN || errno == EINTR else {
            throw RedisError(.disconnected, operation: operation, detail: String(cString: strerror(errno)))
        }
        return 0
    }

    func failure(_ operation: String) -> RedisError {
        let text = String(cString: farwatch_error_text(context))
        switch context.pointee.err {
        case REDIS_ERR_OOM:
            return RedisError(.tooMuch, operation: operation, detail: "more than \(options.limits.replyElementsMax) elements, or no memory")
        case REDIS_ERR_PROTOCOL: return RedisError(.protocolError, operation: operation, detail: "what answers is not Redis: " + text)
        default: return RedisError(.disconnected, operation: operation, detail: text)
        }
    }
}
