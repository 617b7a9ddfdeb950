/// Which addresses of the broker's name the next attempt is at. libmosquitto begins a connection to the first of them and stays with it, which is one of
/// IPv6 where there is any: where that leads nowhere, the broker would never be reached by its address of IPv4. A value.
package struct BrokerAddresses: Sendable {
    /// What an attempt was at.
    package enum Tried: Sendable {
        case ipv4, ipv6
        /// It was over before there was anything to look at: refused at once, or there is no address of the kind that was asked for.
        case unknown
        /// The name is not known, or it did not come to a connection.
        case nothing
    }

    /// How an attempt ended that the broker did not answer.
    package enum Outcome: Equatable, Sendable {
        /// The other addresses are to be tried, now.
        case othersNext
        /// All have been tried, for this reason in vain.
        case failed(String)
    }

    /// Those of IPv6 are passed by. What has worked stays.
    package private(set) var areOnlyIPv4 = false
    private var earlier: String?

    package init() {}

    package mutating func failed(at tried: Tried, _ reason: String) -> Outcome {
        if !areOnlyIPv4, tried == .ipv6 || tried == .unknown {
            areOnlyIPv4 = true
            earlier = reason
            return .othersNext
        }
        defer { (areOnlyIPv4, earlier) = (false, nil) }
        return .failed(tried == .unknown ? earlier ?? reason : reason)
    }

    /// The broker has answered.
    package mutating func answered() { earlier = nil }
}
