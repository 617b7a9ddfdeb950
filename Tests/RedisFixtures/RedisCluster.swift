import Foundation
import RedisDriver
import ServerFixtures

/// A real cluster of a test's own on loopback: three primaries that share the slots, and replicas of the first where a test asks for them.
package final class RedisCluster: Sendable {
    private static let primaries = 3
    /// After which the others take a node for dead, milliseconds.
    private static let nodeTimeout = 2_000

    private let make: RedisMake
    package let nodes: [RedisServer]
    /// Of each node, where it speaks TLS.
    package let tlsPorts: [Int]

    /// - Parameters:
    ///   - tls: settings of every node's TLS; each gets a port for it, beside the one without.
    ///   - users: see `RedisServer`; the user `default` needs all rights.
    package init(_ make: RedisMake = .redis, replicas: Int = 0, tls: [String] = [], users: [String] = []) throws {
        let made = try (0..<Self.primaries + replicas).map { _ in try Self.node(make, tls, users) }
        self.make = make
        nodes = made.map(\.node)
        tlsPorts = made.map(\.tlsPort)
        let share = KeySlot.count / Self.primaries
        for (index, node) in nodes.prefix(Self.primaries).enumerated() {
            let last = index == Self.primaries - 1 ? KeySlot.count - 1 : (index + 1) * share - 1
            // CLUSTER ADDSLOTSRANGE is of 7.
            let slots = (index * share...last).map { Array(String($0).utf8) }
            _ = try node.connect().run(RedisCommand("CLUSTER ADDSLOTS", slots))
            // Nodes that agree need no vote, but never two of one epoch.
            try node.run("CLUSTER", "SET-CONFIG-EPOCH", String(index + 1))
        }
        for node in nodes.dropFirst() { try nodes[0].run("CLUSTER", "MEET", "127.0.0.1", String(node.port), String(try Self.busPort(node))) }
        try waitUntil("the nodes know each other") { try nodes.allSatisfy { try Self.known($0) == self.nodes.count } }
        for replica in nodes.dropFirst(Self.primaries) { try replica.run("CLUSTER", "REPLICATE", try id(of: nodes[0])) }
        try waitUntil("the cluster is whole") {
            try nodes.allSatisfy {
                try $0.run("CLUSTER", "INFO").text?.contains("cluster_state:ok") == true && self.primaryAddresses(by: $0) == Self.primaries
            }
        }
        guard replicas > 0 else { return }
        try waitUntil("the replica has all") { try nodes[Self.primaries].run("INFO", "replication").text?.contains("master_link_status:up") == true }
    }

    private static func node(_ make: RedisMake, _ tls: [String], _ users: [String]) throws -> (node: RedisServer, tlsPort: Int) {
        var attempts = 0
        while true {
            let tlsPort = tls.isEmpty ? 0 : LoopbackPort.free()
            var settings = ["--cluster-enabled", "yes", "--cluster-port", String(LoopbackPort.free())]
            settings += ["--cluster-node-timeout", String(nodeTimeout)]
            if !tls.isEmpty { settings += ["--tls-cluster", "yes", "--tls-replication", "yes", "--tls-port", String(tlsPort)] + tls }
            do { return (try RedisServer(make, settings: settings, users: users), tlsPort) } catch {
                // Of so many ports one may be taken meanwhile.
                attempts += 1
                guard attempts < startsMax else { throw error }
            }
        }
    }

    private static let startsMax = 5

    package var uri: String { nodes[0].uri }
    package var options: RedisOptions { nodes[0].options }

    /// One more primary, which has no slot yet; it is not one of `nodes`.
    package func newNode() throws -> RedisServer {
        let new = try Self.node(make, [], []).node
        try nodes[0].run("CLUSTER", "MEET", "127.0.0.1", String(new.port), String(try Self.busPort(new)))
        try waitUntil("all know the new node, and it knows who has which slot") {
            try nodes.allSatisfy { try Self.known($0) == self.nodes.count + 1 } && self.primaryAddresses(by: new) == Self.primaries
                && new.run("CLUSTER", "INFO").text?.contains("cluster_state:ok") == true
        }
        return new
    }

    // MARK: Slots

    /// As the second node has it, which no test ends.
    package func map() throws -> SlotMap { try SlotMap(slots: nodes[1].run("CLUSTER", "SLOTS"), toldBy: "127.0.0.1") }

    /// The node that has the slot.
    package func owner(of slot: Int) throws -> RedisServer {
        let map = try map()
        guard let owner = nodes.first(where: { $0.port == map.owner(of: slot)?.port }) else {
            throw NotWhole(description: "no node has slot \(slot)")
        }
        return owner
    }

    /// Begins to move a slot: keys that are not there yet come to the other node, those that are stay until they are moved.
    package func beginMove(of slot: Int, to target: RedisServer) throws {
        let source = try owner(of: slot)
        try target.run("CLUSTER", "SETSLOT", String(slot), "IMPORTING", try id(of: source))
        try source.run("CLUSTER", "SETSLOT", String(slot), "MIGRATING", try id(of: target))
    }

    /// Moves some of the slot's keys.
    package func moveKeys(of slot: Int, to target: RedisServer, most: Int = 100) throws {
        let source = try owner(of: slot)
        let keys = try source.run("CLUSTER", "GETKEYSINSLOT", String(slot), String(most)).array?.compactMap(\.text) ?? []
        if keys.isEmpty { return }
        let words = ["127.0.0.1", String(target.port), "", "0", "20000", "KEYS"] + keys
        _ = try source.connect().run(RedisCommand("MIGRATE", words.map { Array($0.utf8) }))
    }

    package func endMove(of slot: Int, to target: RedisServer) throws {
        let source = try owner(of: slot)
        let id = try id(of: target)
        // First the one that takes it, so that there is always somebody.
        for node in [target, source] { try node.run("CLUSTER", "SETSLOT", String(slot), "NODE", id) }
        try waitUntil("all know where the slot is") {
            try nodes.allSatisfy { node in
                let map = try SlotMap(slots: node.run("CLUSTER", "SLOTS"), toldBy: "127.0.0.1")
                return map.owner(of: slot)?.port == target.port
            }
        }
    }

    // MARK: Asking

    private struct NotWhole: Error, CustomStringConvertible { let description: String }

    private func id(of node: RedisServer) throws -> String { try node.run("CLUSTER", "MYID").text ?? "" }

    private static func known(_ node: RedisServer) throws -> Int {
        try node.run("CLUSTER", "NODES").text?.split(whereSeparator: \.isNewline).count { !$0.contains("handshake") } ?? 0
    }

    private func primaryAddresses(by node: RedisServer) throws -> Int {
        try SlotMap(slots: node.run("CLUSTER", "SLOTS"), toldBy: "127.0.0.1").primaries.count
    }

    private static func busPort(_ node: RedisServer) throws -> Int {
        Int(try node.run("CONFIG", "GET", "cluster-port").array?.last?.text ?? "") ?? 0
    }

    private func waitUntil(_ what: String, _ isTrue: () throws -> Bool) throws {
        for _ in 0..<6_000 {
            if try isTrue() { return }
            usleep(20_000)
        }
        throw NotWhole(description: "\(what): not after two minutes; \(nodes[0].log.suffix(500))")
    }
}

/// One cluster for all tests that do not harm it; each test uses keys of its own.
package enum SharedRedisCluster {
    private static let redis = Result { try RedisCluster(.redis) }
    private static let valkey = Result { try RedisCluster(.valkey) }

    package static func cluster(_ make: RedisMake) throws -> RedisCluster {
        switch make {
        case .redis: try redis.get()
        case .valkey: try valkey.get()
        }
    }
}
