/// What a cluster's node says when a command is not for it, or not now. A value.
package enum Redirect: Equatable, Sendable {
    /// The slot is another node's from now on.
    case moved(slot: Int, to: NodeAddress)
    /// The slot is on its way to another node, and this key is there already, or new.
    case asked(NodeAddress)
    /// Of several keys some are on their way.
    case again

    /// How often one command is sent on before its refusal stands.
    package static let max = 5

    /// Nil when the refusal is none that tells where to go: then it stands.
    /// - Parameter teller: the host of the node that refused.
    package init?(_ error: RedisError, toldBy teller: String?) {
        switch error.code {
        case "MOVED":
            guard let (slot, node) = Self.target(error.detail, teller) else { return nil }
            self = .moved(slot: slot, to: node)
        case "ASK":
            guard let (_, node) = Self.target(error.detail, teller) else { return nil }
            self = .asked(node)
        case "TRYAGAIN": self = .again
        default: return nil
        }
    }

    /// `3999 127.0.0.1:6381`
    private static func target(_ words: String, _ teller: String?) -> (Int, NodeAddress)? {
        let parts = words.split(separator: " ")
        guard parts.count >= 2, let slot = Int(parts[0]), (0..<KeySlot.count).contains(slot), let node = NodeAddress(parts[1], toldBy: teller) else {
            return nil
        }
        return (slot, node)
    }
}
