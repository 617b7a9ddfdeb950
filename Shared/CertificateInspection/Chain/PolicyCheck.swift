/// Certificate policies over a chain, with any policy acceptable to begin with: RFC 5280, section 6.1, as RFC 9618 has it.
///
/// Of the tree only its lowest level is kept, each policy once: whether that is empty decides, and its size is bounded by the certificates'.
struct PolicyCheck {
    /// Policies of a level, and those expected below each.
    static let policiesMax = 1024

    /// Acceptable policies at this depth, each with what the next certificate may call it; nil when there are none any more.
    private var level: [Node]? = [Node(id: ObjectId.anyPolicy, expected: [ObjectId.anyPolicy])]
    private var explicit: Int
    private var mapping: Int
    private var any: Int

    private struct Node {
        let id: [UInt8]
        var expected: [[UInt8]]
    }

    private init(count: Int) {
        explicit = count + 1
        mapping = count + 1
        any = count + 1
    }

    /// The depth at which no acceptable policy was left though one was asked for; nil when all is well.
    static func fault(in path: [ChainCertificate]) -> Int? {
        var state = PolicyCheck(count: path.count - 1)
        for depth in path.indices.dropLast().reversed() {
            let content = path[depth].content
            state.narrow(by: content, isLeaf: depth == 0)
            if state.level == nil && state.explicit == 0 { return depth }
            if depth > 0 {
                guard state.prepare(below: content) else { return depth }
            } else {
                if state.explicit > 0 { state.explicit -= 1 }
                if content.extensions.requireExplicitPolicy == 0 { state.explicit = 0 }
                if state.level == nil && state.explicit == 0 { return depth }
            }
        }
        return nil
    }

    /// Steps (d) and (e).
    private mutating func narrow(by content: CertificateContent, isLeaf: Bool) {
        guard let parents = level, let policies = content.extensions.policies else {
            level = nil
            return
        }
        let hasAnyParent = parents.contains { $0.id == ObjectId.anyPolicy }
        var next: [Node] = []
        for policy in policies where policy != ObjectId.anyPolicy {
            if hasAnyParent || parents.contains(where: { $0.expected.contains(policy) }) { next.append(Node(id: policy, expected: [policy])) }
        }
        if policies.contains(ObjectId.anyPolicy), any > 0 || !isLeaf && content.isSelfIssued {
            for parent in parents {
                for policy in parent.expected where next.count < Self.policiesMax && !next.contains(where: { $0.id == policy }) {
                    next.append(Node(id: policy, expected: [policy]))
                }
            }
        }
        level = next.isEmpty ? nil : next
    }

    /// The preparation for the next certificate; false for a mapping from or to any policy.
    private mutating func prepare(below content: CertificateContent) -> Bool {
        let extensions = content.extensions
        guard map(extensions.policyMappings) else { return false }
        if !content.isSelfIssued {
            if explicit > 0 { explicit -= 1 }
            if mapping > 0 { mapping -= 1 }
            if any > 0 { any -= 1 }
        }
        explicit = min(explicit, extensions.requireExplicitPolicy ?? explicit)
        mapping = min(mapping, extensions.inhibitPolicyMapping ?? mapping)
        any = min(any, extensions.inhibitAnyPolicy ?? any)
        return true
    }

    private mutating func map(_ mappings: [(issuer: [UInt8], subject: [UInt8])]) -> Bool {
        guard !mappings.isEmpty else { return true }
        for pair in mappings where pair.issuer == ObjectId.anyPolicy || pair.subject == ObjectId.anyPolicy { return false }
        guard var nodes = level else { return true }
        if mapping > 0 {
            var mapped: [[UInt8]] = []
            for pair in mappings where !mapped.contains(pair.issuer) {
                mapped.append(pair.issuer)
                let subjects = mappings.filter { $0.issuer == pair.issuer }.map { $0.subject }
                if let index = nodes.firstIndex(where: { $0.id == pair.issuer }) {
                    nodes[index].expected = subjects
                } else if nodes.contains(where: { $0.id == ObjectId.anyPolicy }) {
                    nodes.append(Node(id: pair.issuer, expected: subjects))
                }
            }
        } else {
            nodes.removeAll { node in mappings.contains { $0.issuer == node.id } }
        }
        level = nodes.isEmpty ? nil : nodes
        return true
    }
}
