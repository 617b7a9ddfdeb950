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
