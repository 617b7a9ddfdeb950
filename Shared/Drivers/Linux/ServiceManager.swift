/// What a daemon tells systemd, a datagram each to `$NOTIFY_SOCKET` (sd_notify(3)); nothing where there is no such socket.
package struct ServiceManager: Sendable {
    private let socket: String?
    /// Between two signs of life, milliseconds: half of what systemd allows; nil when it watches for none.
    package let watchdogInterval: Int64?

    package init(environment: (String) -> String? = Environment.value) {
        socket = environment("NOTIFY_SOCKET")
        // sd_watchdog_enabled(3): "it is recommended that a daemon sends a keep-alive notification message … every half of the time returned here".
        watchdogInterval = environment("WATCHDOG_USEC").flatMap { Int64($0) }.flatMap { $0 >= 2000 ? $0 / 2000 : nil }
    }

    package func ready() { send("READY=1") }
    package func alive() { send("WATCHDOG=1") }
    package func stopping() { send("STOPPING=1") }

    private func send(_ state: String) {
        if let socket { _ = UnixSocket.sendDatagram(state, to: socket) }
    }
}
