import Foundation
import LinuxDriver
import MQTTDriver
import Synchronization

/// A client on a thread of its own that publishes what it is told to, and keeps what comes on one topic.
final class Publisher: Sendable {
    private struct State {
        var outgoing: [(topic: String, bytes: [UInt8])] = []
        var received: [[UInt8]] = []
        var isConnected = false
        var isStopping = false
    }

    private let state = Mutex(State())
    private let wakeUp: WakeUp

    init(port: Int, clientId: String = "hostile", listeningTo topic: String) throws {
        wakeUp = try WakeUp()
        Thread.detachNewThread { [self] in try? run(port: port, clientId: clientId, topic: topic) }
    }

    private func run(port: Int, clientId: String, topic: String) throws {
        let loop = try EventLoop()
        let connection = MQTTConnection(MQTTOptions(host: "127.0.0.1", port: UInt16(port), clientId: clientId), on: loop)
        connection.start { [self] event in
            switch event {
            case .connected:
                try? connection.subscribe(topic)
                state.withLock { $0.isConnected = true }
            case .message(_, let payload): state.withLock { $0.received.append(payload) }
            case .disconnected, .subscriptionRefused: state.withLock { $0.isConnected = false }
            }
        }
        try loop.watch(wakeUp.fd, .readable) { [self] _ in
            wakeUp.silence()
            let (messages, isStopping) = state.withLock { state in
                defer { state.outgoing.removeAll() }
                return (state.outgoing, state.isStopping)
            }
            for message in messages { try? connection.publish(message.topic, message.bytes, qos: 1) }
            if isStopping { loop.stop() }
        }
        try loop.run()
        connection.stop()
    }

    var isConnected: Bool { state.withLock { $0.isConnected } }
    var received: [[UInt8]] { state.withLock { $0.received } }

    func publish(_ topic: String, _ bytes: [UInt8]) {
        state.withLock { $0.outgoing.append((topic, bytes)) }
        wakeUp.ring()
    }

    func stop() {
        state.withLock { $0.isStopping = true }
        wakeUp.ring()
    }
}
