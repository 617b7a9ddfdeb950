/// What was wrong with something that sampling was asked to do.
package struct SamplingError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Reason: Equatable, Sendable {
        case unknownScheme, invalidHost, invalidPort, unexpectedPort, tooManyTargets
    }

    package let reason: Reason
    /// What was being done, e.g. `parse latency target`.
    package let operation: String
    /// What it was done to: the text as it was given.
    package let context: String

    package init(_ reason: Reason, _ operation: String, _ context: String) {
        self.reason = reason
        self.operation = operation
        self.context = context
    }

    package var description: String { operation + ": " + explanation + ": " + context }

    private var explanation: String {
        switch reason {
        case .unknownScheme: "a target begins with tcp:// or icmp://"
        case .invalidHost: "the host is neither a name nor an address ([…] around IPv6)"
        case .invalidPort: "tcp needs a port from 1 to 65535 behind a colon"
        case .unexpectedPort: "icmp has no ports"
        case .tooManyTargets: "at most " + String(LatencyProbe.targetsMax) + " targets"
        }
    }
}
