import LinuxDriver

/// A connection to a broker that comes back by itself: tries, waits with growing jittered delays, tries again. Lives on one event loop,
/// whose timers and watches keep it alive until `stop`.
package final class MQTTConnection {
    package enum Event {
        case connected
        /// The connection, or an attempt at one, has ended; the next attempt follows after `retryIn` milliseconds.
        case disconnected(reason: String, retryIn: Int64)
        case message(topic: String, payload: [UInt8])
        /// The broker's access control refused a subscription.
        case subscriptionRefused
    }

    /// From the first packet to the broker's answer.
    package static let connectTimeout: Int64 = 15_000
    /// How often the library may look at its keep-alive, in milliseconds.
    private static let housekeepingInterval: Int64 = 5_000

    /// The broker's answer to a message: its number, and why it was not taken, or that nobody is subscribed to it.
    package typealias Confirmed = (_ message: Int32, _ refusal: String?) -> Void

    package private(set) var isConnected = false
    /// QoS 1 messages that may be on their way at once: the broker's bound and ours. What is beyond waits in the library.
    package private(set) var sendMax = 0
    /// How often another client has taken the session over, since a connection last stood undisturbed.
    package var takeovers: Int { reconnection.takeovers }
    /// The same where the broker does not say so, but closes each connection soon.
    package var likelyTakeovers: Int { reconnection.likelyTakeovers }
    package let options: MQTTOptions

    private let loop: EventLoop
    private var handler: ((Event) -> Void)?
    private var confirmed: Confirmed?
    private var client: MQTTClient?
    private var watchedSocket: Int32 = -1
    private var isWaitingToWrite = false
    private var reconnection = Reconnection()
    private var addresses = BrokerAddresses()
    /// What the attempt is at.
    private var tried = BrokerAddresses.Tried.nothing
    private var retryTimer: EventLoop.TimerId?
    private var connectTimer: EventLoop.TimerId?
    private var housekeepingTimer: EventLoop.TimerId?
    private var isStopped = true

    package init(_ options: MQTTOptions, on loop: EventLoop) {
        self.options = options
        self.loop = loop
    }

    /// Begins to connect, now; `handler` hears of everything until `stop`, `confirmed` of each PUBACK.
    package func start(_ handler: @escaping (Event) -> Void, confirmed: Confirmed? = nil) {
        self.handler = handler
        self.confirmed = confirmed
        isStopped = false
        attempt()
    }

    /// Says goodbye to the broker (who then keeps the will to itself) and stops trying.
    package func stop() {
        isStopped = true
        if let retryTimer { loop.cancel(retryTimer) }
        retryTimer = nil
        if isConnected {
            client?.disconnect()
            try? client?.write()
        }
        close()
        handler = nil
        confirmed = nil
    }

    /// Hands a message to the library, which sends it as the socket allows.
    package func publish(_ topic: String, _ payload: [UInt8], qos: Int32 = 1, isRetained: Bool = false) throws(MQTTError) {
        _ = try send(topic, payload, qos: qos, isRetained: isRetained)
    }

    /// The same, with the message's number, by which its PUBACK is told.
    package func send(_ topic: String, _ payload: [UInt8], qos: Int32 = 1, isRetained: Bool = false) throws(MQTTError) -> Int32 {
        guard let client, isConnected else { throw MQTTError(code: 4, operation: "publish", detail: "not connected") }
        let message = try client.publish(topic, payload, qos: qos, isRetained: isRetained)
        watchSocket()
        return message
    }

    package func subscribe(_ topic: String) throws(MQTTError) {
        guard let client, isConnected else { throw MQTTError(code: 4, operation: "subscribe", detail: "not connected") }
        try client.subscribe(topic)
        watchSocket()
    }

    /// Whether the library still holds bytes that the socket has not taken.
    package var hasUnwrittenBytes: Bool { client?.wantsToWrite ?? false }

    // MARK: An attempt

    private func attempt() {
        retryTimer = nil
        tried = .nothing
        do throws(MQTTError) {
            let client = try MQTTClient(options)
            self.client = client
            try client.connect(to: options.host, port: options.port, keepAlive: options.keepAlive, onlyIPv4: addresses.areOnlyIPv4)
            connectTimer = loop.after(Self.connectTimeout) { [self] in fail("the broker did not answer in time") }
            watchSocket()
            scheduleHousekeeping()
        } catch {
            if error.isOfSystemCall { tried = .unknown }
            fail(error.detail)
        }
    }

    /// - Parameter hasAnswered: the broker did, if by a refusal.
    private func fail(_ reason: String, _ ending: Reconnection.Ending = .lost, hasAnswered: Bool = false) {
        guard !isStopped else { return }
        let isAnswered = hasAnswered || isConnected
        close()
        var reason = reason
        if !isAnswered {
            switch addresses.failed(at: tried, reason) {
            case .othersNext: return attempt()
            case .failed(let why): reason = why
            }
        }
        let delay = reconnection.ended(ending, now: Clock.system.boot(), random: Random.uint64())
        retryTimer = loop.after(delay) { [self] in attempt() }
        handler?(.disconnected(reason: reason, retryIn: delay))
    }

    private func close() {
        isConnected = false
        if watchedSocket >= 0 { loop.unwatch(watchedSocket) }
        watchedSocket = -1
        for timer in [connectTimer, housekeepingTimer] { if let timer { loop.cancel(timer) } }
        connectTimer = nil
        housekeepingTimer = nil
        client = nil
    }

    // MARK: The socket

    /// Waits for what the library wants of its socket now.
    private func watchSocket() {
        guard let client else { return }
        let socket = client.socket
        guard socket >= 0 else { return }
        let wantsToWrite = client.wantsToWrite || !isConnected && watchedSocket != socket
        if socket != watchedSocket {
            if watchedSocket >= 0 { loop.unwatch(watchedSocket) }
            watchedSocket = -1
            do throws(SystemError) {
                try loop.watch(socket, wantsToWrite ? [.readable, .writable] : .readable) { [self] in ready($0) }
            } catch {
                return fail(error.description)
            }
            watchedSocket = socket
            isWaitingToWrite = wantsToWrite
            tried = ForeignSocket(socket).isIPv6 ? .ipv6 : .ipv4
        } else if wantsToWrite != isWaitingToWrite {
            loop.modify(socket, wantsToWrite ? [.readable, .writable] : .readable)
            isWaitingToWrite = wantsToWrite
        }
    }

    private func ready(_ readiness: EventLoop.Readiness) {
        let isEnding = !isConnected && !readiness.isDisjoint(with: .failed)
        let attempted = client
        // The library's own reading forgets it.
        let error = isEnding ? ForeignSocket(watchedSocket).takeError() : 0
        pump { (client) throws(MQTTError) in
            // An error or hang-up is read, so that the library finds out what it is.
            if !readiness.isDisjoint(with: [.readable, .failed]) { try client.read() }
            if readiness.contains(.writable) { try client.write() }
        }
        // While it begins to speak TLS the library takes a connection that failed for one that is not ready, and may have been told why.
        guard isEnding, !isConnected, client === attempted else { return }
        fail(error == 0 ? "the connection was refused or closed" : SystemError(code: error, operation: "connect").reason)
    }

    private func scheduleHousekeeping() {
        housekeepingTimer = loop.after(Self.housekeepingInterval) { [self] in
            guard client != nil else { return }
            pump { (client) throws(MQTTError) in try client.housekeep() }
            if client != nil { scheduleHousekeeping() }
        }
    }

    /// Lets the library work, then acts on what it told. The client stays alive meanwhile, whatever the handlers do.
    private func pump(_ work: (MQTTClient) throws(MQTTError) -> Void) {
        guard let client else { return }
        var failure: String?
        var ending = Reconnection.Ending.lost
        do throws(MQTTError) { try work(client) } catch {
            failure = error.detail
            ending = MQTTClient.ending(of: error.code)
        }
        for event in client.takeEvents() {
            guard self.client === client else { return }
            switch event {
            case .accepted(let receiveMaximum): accepted(receiveMaximum)
            case .published(let message, let refusal): confirmed?(message, refusal)
            case .rejected(let reason): return fail("the broker refused the connection: " + reason, hasAnswered: true)
            case .subscribed(let granted): if !granted { handler?(.subscriptionRefused) }
            case .message(let topic, let payload): handler?(.message(topic: topic, payload: payload))
            case .disconnected(let reason, let how):
                failure = how == .takenOver ? reason : failure ?? reason
                ending = how
            }
        }
        guard self.client === client else { return }
        if let failure { return fail(failure, ending) }
        watchSocket()
    }

    private func accepted(_ receiveMaximum: UInt16) {
        isConnected = true
        sendMax = Int(min(receiveMaximum, options.inFlightMax))
        reconnection.connected(now: Clock.system.boot())
        addresses.answered()
        if let connectTimer { loop.cancel(connectTimer) }
        connectTimer = nil
        handler?(.connected)
    }
}
