/// Why groups that are under way could not be written so far, each by itself: one that comes through says nothing of the others. A value.
package struct GroupFailures: Equatable, Sendable {
    /// By the order in which the groups were begun.
    private var failures: [Int: String] = [:]
    private var begun = 0

    package init() {}

    /// Of the group that has failed longest; nil when all is well.
    package var first: String? { failures.min { $0.key < $1.key }?.value }

    /// A number for a group.
    package mutating func begin() -> Int {
        begun += 1
        return begun
    }

    /// Whether it is the first, so that it is news.
    package mutating func failed(_ group: Int, _ reason: String) -> Bool {
        defer { failures[group] = reason }
        return failures.isEmpty
    }

    /// Whether it was the last that failed, so that all is well again.
    package mutating func succeeded(_ group: Int) -> Bool { failures.removeValue(forKey: group) != nil && failures.isEmpty }
}
