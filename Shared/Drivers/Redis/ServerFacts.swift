/// What INFO tells: lines of `name:value`.
package struct ServerFacts: Sendable {
    private static let versionMax = 32
    private var facts: [Substring: Substring] = [:]

    package init(_ text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { facts[parts[0]] = parts[1] }
        }
    }

    package subscript(_ name: Substring) -> String? { facts[name].map(String.init) }

    /// Changes whenever the server starts.
    var runId: String? { self["run_id"] }

    /// Whether the server is a node of a cluster; Valkey has a name of its own for it.
    package var isOfCluster: Bool { (facts["redis_mode"] ?? facts["server_mode"]) == "cluster" }

    /// E.g. `Redis 7.0.15`.
    var name: String? {
        if let version = facts["valkey_version"] { return "Valkey " + version.prefix(Self.versionMax) }
        return facts["redis_version"].map { "Redis " + $0.prefix(Self.versionMax) }
    }
}
