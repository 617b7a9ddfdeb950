import CMosquitto

/// One libmosquitto client: one connection attempt and, if it succeeds, one connection. Owned and called by one thread, whose loop says when
/// the socket is ready. `MQTTConnection` makes one for each attempt, so that nothing of a dead connection lingers in the library's queues.
final class MQTTClient {
    /// What the broker or the library told, in order.
    enum Event {
        /// `receiveMaximum`: QoS 1 publishes that the broker takes before it has confirmed one.
        case accepted(receiveMaximum: UInt16)
        case rejected(String)
        case subscribed(granted: Bool)
        /// The broker's PUBACK; `refusal` is why it did not take the message, or that nobody is subscribed to it.
        case published(message: Int32, refusal: String?)
        case message(topic: String, payload: [UInt8])
        case disconnected(String, Reconnection.Ending)
    }

    /// MQTT 5, section 3.14.2.1: "Session taken over: another Connection using the same ClientID has connected".
    private static let takenOver: Int32 = 0x8E
    /// MQTT 5, section 3.4.2.1: "the message is accepted but there are no subscribers".
    private static let nobodySubscribed: Int32 = 0x10
    /// MQTT 5, section 2.4: reason codes from here on are failures; libmosquitto's own error codes are all below.
    private static let reasonFailures: Int32 = 0x80

    /// Messages above this are not ours: a batch has 64 KiB at most.
    private static let payloadBytesMax = 256 * 1024

    private let handle: OpaquePointer
    private let id: String
    private(set) var events: [Event] = []
    /// What the library logged last as an error: OpenSSL's words, which its error codes do not tell.
    private var loggedError: String?

    private static let library: Void = { mosquitto_lib_init() }()

    init(_ options: MQTTOptions) throws(MQTTError) {
        _ = Self.library
        // "clean_session: set to true to instruct the broker to clean all messages and subscriptions on disconnect": the device's buffer is the only queue.
        guard let handle = mosquitto_new(options.clientId, true, nil) else {
            throw MQTTError(code: Int32(MOSQ_ERR_NOMEM.rawValue), operation: "make a client", detail: "out of memory or a bad client id")
        }
        self.handle = handle
        id = options.clientId
        mosquitto_user_data_set(handle, Unmanaged.passUnretained(self).toOpaque())
        try check(mosquitto_int_option(handle, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5), "speak MQTT 5")
        try check(mosquitto_int_option(handle, MOSQ_OPT_RECEIVE_MAXIMUM, Int32(options.inFlightMax)), "set the receive maximum")
        try check(mosquitto_int_option(handle, MOSQ_OPT_SEND_MAXIMUM, Int32(options.inFlightMax)), "set the send maximum")
        if let username = options.username {
            try check(mosquitto_username_pw_set(handle, username, options.password), "set the user name")
        }
        if let tls = options.tls { try configure(tls) }
        if let will = options.will {
            let code = will.payload.withUnsafeBytes {
                mosquitto_will_set(handle, will.topic, Int32($0.count), $0.baseAddress, 1, will.isRetained)
            }
            try check(code, "set the will")
        }
        setCallbacks()
    }

    deinit { mosquitto_destroy(handle) }

    private func configure(_ tls: MQTTOptions.TLS) throws(MQTTError) {
        let systemDirectory: String? = tls.authorities == nil ? "/etc/ssl/certs" : nil
        try check(mosquitto_tls_set(handle, tls.authorities, systemDirectory, tls.certificate, tls.key, nil), "set up TLS")
        // "cert_reqs: SSL_VERIFY_PEER (1): the server will be verified"; TLS 1.2 is the oldest version libmosquitto 2 speaks.
        try check(mosquitto_tls_opts_set(handle, 1, nil, nil), "demand a verified broker")
    }

    /// Each callback recovers self, copies what it was given and notes an event; the loop's caller acts on them afterwards.
    private func setCallbacks() {
        mosquitto_log_callback_set(handle) { _, context, level, text in
            guard let client = MQTTClient.recover(context), let text, level == MOSQ_LOG_ERR else { return }
            client.loggedError = String(cString: text)
        }
        mosquitto_connect_v5_callback_set(handle) { _, context, code, _, properties in
            guard let client = MQTTClient.recover(context) else { return }
            // MQTT 5, section 3.2.2.3.3: "If the Receive Maximum value is absent, then its value defaults to 65,535".
            var receiveMaximum = UInt16.max
            _ = mosquitto_property_read_int16(properties, Int32(MQTT_PROP_RECEIVE_MAXIMUM.rawValue), &receiveMaximum, false)
            client.events.append(
                code == 0 ? .accepted(receiveMaximum: receiveMaximum) : .rejected(String(cString: mosquitto_reason_string(code))))
        }
        mosquitto_publish_v5_callback_set(handle) { _, context, message, code, _ in
            guard let client = MQTTClient.recover(context) else { return }
            let isRefused = code >= MQTTClient.reasonFailures || code == MQTTClient.nobodySubscribed
            client.events.append(.published(message: message, refusal: isRefused ? String(cString: mosquitto_reason_string(code)) : nil))
        }
        mosquitto_disconnect_v5_callback_set(handle) { _, context, code, _ in
            guard let client = MQTTClient.recover(context) else { return }
            client.events.append(.disconnected(client.words(ofEnd: code), MQTTClient.ending(of: code)))
        }
        mosquitto_subscribe_v5_callback_set(handle) { _, context, _, count, granted, _ in
            guard let client = MQTTClient.recover(context), let granted else { return }
            // MQTT 5, section 3.9.3: reason codes from 0x80 are failures.
            client.events.append(.subscribed(granted: (0..<Int(count)).allSatisfy { granted[$0] < 0x80 }))
        }
        mosquitto_message_v5_callback_set(handle) { _, context, message, _ in
            guard let client = MQTTClient.recover(context), let message, let topic = message.pointee.topic else { return }
            let count = Int(message.pointee.payloadlen)
            guard count <= MQTTClient.payloadBytesMax else { return }
            let payload = message.pointee.payload.map { [UInt8](UnsafeRawBufferPointer(start: $0, count: count)) } ?? []
            client.events.append(.message(topic: String(cString: topic), payload: payload))
        }
    }

    private static func recover(_ context: UnsafeMutableRawPointer?) -> MQTTClient? {
        context.map { Unmanaged<MQTTClient>.fromOpaque($0).takeUnretainedValue() }
    }

    /// The events since the last call.
    func takeEvents() -> [Event] {
        defer { events.removeAll(keepingCapacity: true) }
        return events
    }

    // MARK: Calls

    /// - Parameter onlyIPv4: passes by the host's addresses of IPv6: what is bound to an address of one kind cannot connect to the other.
    func connect(to host: String, port: UInt16, keepAlive: Int32, onlyIPv4: Bool) throws(MQTTError) {
        let code = mosquitto_connect_bind_async(handle, host, Int32(port), keepAlive, onlyIPv4 ? "0.0.0.0" : nil)
        try check(code, "connect to " + host + ":" + String(port))
    }

    /// The message's number, by which its PUBACK is told.
    func publish(_ topic: String, _ payload: [UInt8], qos: Int32, isRetained: Bool) throws(MQTTError) -> Int32 {
        var message: Int32 = 0
        let code = payload.withUnsafeBytes { mosquitto_publish(handle, &message, topic, Int32($0.count), $0.baseAddress, qos, isRetained) }
        try check(code, "publish")
        return message
    }

    func subscribe(_ topic: String) throws(MQTTError) { try check(mosquitto_subscribe(handle, nil, topic, 1), "subscribe to " + topic) }

    func disconnect() { mosquitto_disconnect(handle) }

    var socket: Int32 { mosquitto_socket(handle) }
    var wantsToWrite: Bool { mosquitto_want_write(handle) }

    /// "max_packets: this parameter is currently unused."
    func read() throws(MQTTError) { try check(mosquitto_loop_read(handle, 1), "read") }
    func write() throws(MQTTError) { try check(mosquitto_loop_write(handle, 1), "write") }
    /// "carry out miscellaneous operations required as part of the network loop": pings and time-outs.
    func housekeep() throws(MQTTError) { try check(mosquitto_loop_misc(handle), "keep alive") }

    static func ending(of code: Int32) -> Reconnection.Ending {
        switch code {
        case takenOver: .takenOver
        // What read(2) tells by 0 or ECONNRESET; a link that falls silent ends by the keep-alive, with another code.
        case MOSQ_ERR_CONN_LOST.rawValue: .closed
        default: .lost
        }
    }

    /// Why a connection ended: the broker's reason code, or the library's error code.
    private func words(ofEnd code: Int32) -> String {
        if code == Self.takenOver { return "another client took the connection over: two clients use the id " + id }
        if code >= Self.reasonFailures { return "the broker ended the connection: " + String(cString: mosquitto_reason_string(code)) }
        return code == 0 ? "closed" : explained(String(cString: mosquitto_strerror(code)))
    }

    /// The words of an error code, with what the library logged about it.
    private func explained(_ text: String) -> String { loggedError.map { text + " (" + $0 + ")" } ?? text }

    private func check(_ code: Int32, _ operation: String) throws(MQTTError) {
        guard code != MOSQ_ERR_SUCCESS.rawValue else { return }
        // "MOSQ_ERR_ERRNO: if a system call returned an error. The variable errno contains the error code".
        let number = farwatch_last_errno()
        let detail =
            code != MOSQ_ERR_ERRNO.rawValue
            ? String(cString: mosquitto_strerror(code))
            : number == 0 ? "the other side closed the connection; is it an MQTT broker?" : String(cString: strerror(number))
        throw MQTTError(code: code, operation: operation, detail: explained(detail))
    }
}

extension MQTTError {
    /// "MOSQ_ERR_ERRNO: if a system call returned an error": connect(2) or bind(2), not the look-up of a name.
    var isOfSystemCall: Bool { code == MOSQ_ERR_ERRNO.rawValue }
}
