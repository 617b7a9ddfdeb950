import Synchronization

/// A connection that was given up while the server may still work at what was sent on it.
package struct AbandonedConnection: Hashable, Sendable {
    /// The run of the server that gave the number: the next one counts from 1 again, and the number is a stranger's.
    package let runId: String
    /// The server's number for the connection.
    package let clientId: Int64

    package init(runId: String, clientId: Int64) {
        self.runId = runId
        self.clientId = clientId
    }
}

/// Those of a pool, until they are asked for.
package final class AbandonedConnections: Sendable {
    /// Those that are remembered; beyond it the oldest are forgotten.
    private static let max = 256

    private let list = Mutex<[AbandonedConnection]>([])

    package init() {}

    func add(_ connection: AbandonedConnection) {
        list.withLock { list in
            if list.count >= Self.max { list.removeFirst() }
            list.append(connection)
        }
    }

    func take() -> [AbandonedConnection] {
        list.withLock { list in
            defer { list = [] }
            return list
        }
    }
}
