/// Which node of a cluster has which slot. A value.
package struct SlotMap: Equatable, Sendable {
    /// Primaries of one cluster; Redis itself advises no more than 1,000 nodes.
    package static let nodesMax = 1_000
    private static let noOwner = UInt16.max

    /// Those that have slots.
    package private(set) var primaries: [NodeAddress] = []
    /// Where the node is that told it; nil where it is not known.
    package private(set) var source: String?
    /// For each slot the index of its node.
    private var owners = [UInt16](repeating: noOwner, count: KeySlot.count)

    package init() {}

    /// - Parameters:
    ///   - answer: of CLUSTER SLOTS: for each range its first and last slot, then its nodes, the primary first: host, port, and more.
    ///   - teller: the host of the node that said so; nil where it is not known.
    ///   - source: where that node is, for people.
    package init(slots answer: RedisValue, toldBy teller: String?, at source: String? = nil) throws(RedisError) {
        self.source = source
        guard let ranges = answer.array, ranges.count <= KeySlot.count else { throw Self.misread("the answer is no list of ranges") }
        for range in ranges {
            guard let parts = range.array, parts.count >= 3, let first = parts[0].integer, let last = parts[1].integer,
                first >= 0, first <= last, last < KeySlot.count
            else { throw Self.misread("a range of slots is none") }
            guard let node = Self.node(parts[2], teller) else { throw Self.misread("a node's address is none") }
            let slots = Int(first)...Int(last)
            guard !slots.contains(where: { owner(of: $0) != nil }) else { throw Self.misread("a slot is told of twice") }
            try own(slots, node)
        }
    }

    package func owner(of slot: Int) -> NodeAddress? { owners[slot] == Self.noOwner ? nil : primaries[Int(owners[slot])] }

    /// Who told it, as the end of a sentence.
    package var said: String { source.map { ", as " + $0 + " has it" } ?? "" }

    /// Whether every slot has a node.
    package var isComplete: Bool { !owners.contains(Self.noOwner) }

    /// What a node said of a slot that it does not have any more; until the next map tells more.
    package mutating func moved(_ slot: Int, to node: NodeAddress) { try? own(slot...slot, node) }

    private mutating func own(_ slots: ClosedRange<Int>, _ node: NodeAddress) throws(RedisError) {
        let index = primaries.firstIndex(of: node) ?? primaries.count
        if index == primaries.count {
            guard primaries.count < Self.nodesMax else { throw Self.misread("more than \(Self.nodesMax) nodes") }
            primaries.append(node)
        }
        for slot in slots { owners[slot] = UInt16(index) }
    }

    private static func node(_ value: RedisValue, _ teller: String?) -> NodeAddress? {
        guard let parts = value.array, parts.count >= 2, let port = parts[1].integer else { return nil }
        // "NULL … the client should send its next command to the same endpoint"; servers before 7 say "".
        let told = parts[0].text ?? ""
        guard let host = told.isEmpty ? teller : told else { return nil }
        return NodeAddress(host: host, port: Int(clamping: port))
    }

    private static func misread(_ detail: String) -> RedisError { RedisError(.decoding, operation: "CLUSTER SLOTS", detail: detail) }
}
