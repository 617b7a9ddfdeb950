/// A dictionary whose entries stand in a doubly linked list by their last use. Links are indices into `nodes`.
struct RecentlyUsed: Sendable {
    enum Content: Sendable {
        case value([UInt8])
        case list([[UInt8]])
        case window(SlidingWindow)

        var bytes: Int {
            switch self {
            case .value(let value): value.count
            case .list(let elements): elements.reduce(0) { $0 + $1.count }
            case .window(let window): window.times.count * 16
            }
        }
    }

    private struct Node {
        var key: CacheKey
        var content: Content
        var expires: ContinuousClock.Instant
        var newer: Int?
        var older: Int?

        var bytes: Int { key.text.utf8.count + content.bytes }
    }

    private let entriesMax: Int
    private let bytesMax: Int
    private var nodes: [Node] = []
    private var free: [Int] = []
    private var indexOf: [CacheKey: Int] = [:]
    private var newest: Int?
    private var oldest: Int?
    private var bytes = 0

    init(entriesMax: Int, bytesMax: Int) {
        self.entriesMax = entriesMax
        self.bytesMax = bytesMax
    }

    var count: Int { indexOf.count }

    mutating func content(of key: CacheKey, at now: ContinuousClock.Instant) -> Content? {
        guard let index = indexOf[key] else { return nil }
        guard nodes[index].expires > now else {
            remove(key)
            return nil
        }
        unlink(index)
        link(index)
        return nodes[index].content
    }

    /// False when it is not there.
    mutating func extend(_ key: CacheKey, to expires: ContinuousClock.Instant, at now: ContinuousClock.Instant) -> Bool {
        guard content(of: key, at: now) != nil, let index = indexOf[key] else { return false }
        nodes[index].expires = expires
        return true
    }

    mutating func set(_ key: CacheKey, _ content: Content, expires: ContinuousClock.Instant) {
        remove(key)
        let node = Node(key: key, content: content, expires: expires)
        guard node.bytes <= bytesMax, entriesMax > 0 else { return }
        while let oldest, count >= entriesMax || bytes + node.bytes > bytesMax { remove(nodes[oldest].key) }
        let index = free.popLast() ?? nodes.count
        if index == nodes.count { nodes.append(node) } else { nodes[index] = node }
        indexOf[key] = index
        bytes += node.bytes
        link(index)
    }

    mutating func remove(_ key: CacheKey) {
        guard let index = indexOf.removeValue(forKey: key) else { return }
        unlink(index)
        bytes -= nodes[index].bytes
        nodes[index].content = .value([])
        free.append(index)
    }

    private mutating func link(_ index: Int) {
        nodes[index].newer = nil
        nodes[index].older = newest
        if let newest { nodes[newest].newer = index }
        newest = index
        if oldest == nil { oldest = index }
    }

    private mutating func unlink(_ index: Int) {
        let (newer, older) = (nodes[index].newer, nodes[index].older)
        if let newer { nodes[newer].older = older } else { newest = older }
        if let older { nodes[older].newer = newer } else { oldest = newer }
    }
}
