import DocumentStores
import Foundation
import MongoDriver
import MongoFixtures
import MongoStores
import ServiceSupport
import Synchronization
import Testing

/// What a store on MongoDB notices of others: their writes, and what they do to the database.
@Suite(.enabled(if: MongoProgram.missing == nil, Comment(rawValue: MongoProgram.missing ?? ""))) struct MongoNewsTests {
    /// What a follower was told.
    private final class Told: Sendable {
        private let all = Mutex<[DocumentNews]>([])

        func add(_ news: DocumentNews) { all.withLock { $0.append(news) } }
        var news: [DocumentNews] { all.withLock { $0 } }

        func wait(_ what: String, _ holds: ([DocumentNews]) -> Bool) async throws {
            for _ in 0..<1_500 where !holds(news) { try await Task.sleep(for: .milliseconds(40)) }
            #expect(holds(news), "\(what): \(news)")
        }
    }

    private func options(_ kind: MongoDeployment.Kind) throws -> MongoDocumentOptions {
        MongoDocumentOptions(try SharedMongo.deployment(kind).options())
    }

    private static func device(_ id: String, _ status: String = "online") -> Document {
        Document(id, ["deviceId": .string(id), "status": .string(status), "firstSeen": 1_767_225_600_000])
    }

    private func missing(_ options: MongoDocumentOptions) throws -> [String] {
        try MongoSession.run(options.server) { (client) throws(MongoError) in try MongoSetup(client, eventsKept: nil).plan() }
            .steps.map { $0.description }
    }

    private func waitUntilSetUp(_ options: MongoDocumentOptions) async throws {
        let deadline = ContinuousClock.now + .seconds(240)
        var left = try missing(options)
        while !left.isEmpty, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(500))
            left = try missing(options)
        }
        #expect(left == [])
    }

    @Test func `what another collector writes is told, and what this one writes is not`() async throws {
        let options = try options(.replicaSet)
        let one = try await RunningDocumentStore.started(options)
        let told = Told()
        let follower = Task { await one.store.follow([.devices, .certificatePlaces]) { told.add($0) } }
        defer { follower.cancel() }
        try await told.wait("anything may have been different before") { $0 == [.unknown] }
        try await one.upsert(Self.device("own"), in: .devices)
        try await one.change(["own"], in: .devices) { _ in [.upsert(Self.device("own", "offline"), in: .devices)] }
        try await one.apply([.upsertUnlessOlder(Self.device("newer"), by: "firstSeen", in: .devices)])
        // As another process does it.
        try MongoSession.run(options.server) { (client) throws(MongoError) in
            let stranger: BSONDocument = ["_id": "other", "deviceId": "other", "status": "online", "firstSeen": .date(1), "_revision": .int64(5)]
            try client.write([.insert(stranger)], in: "devices")
            try client.write([.update(filter: ["_id": "own"], ["$set": ["status": "unknown"]], upsert: false)], in: "devices")
            try client.write([.deleteOne(filter: ["_id": "newer"])], in: "devices")
        }
        func ids(_ news: [DocumentNews]) -> Set<String> {
            Set(
                news.flatMap { one -> Set<String> in
                    guard case .changed(let ids, .devices) = one else { return [] }
                    return ids
                })
        }
        try await told.wait("others' writes are told") { ids($0).isSuperset(of: ["other", "own", "newer"]) }
        try MongoSession.run(options.server) { (client) throws(MongoError) in try client.command(["drop": "devices"], .write) }
        try await told.wait("that a collection went is told") { $0.last == .unknown && $0.count > 1 }
    }

    @Test func `on a single server nothing is told, and nothing ends`() async throws {
        let store = try await RunningDocumentStore.started(options(.single))
        let told = Told()
        let follower = Task { await store.store.follow([.devices]) { told.add($0) } }
        try await store.upsert(Self.device("a"), in: .devices)
        try await Task.sleep(for: .milliseconds(300))
        follower.cancel()
        await follower.value
        #expect(told.news == [])
    }

    @Test(arguments: MongoDeployment.Kind.allCases)
    func `a database that was dropped while the store works is set up again by itself`(kind: MongoDeployment.Kind) async throws {
        let options = try options(kind)
        let store = try await RunningDocumentStore.started(options)
        try await store.upsert(Self.device("a"), in: .devices)
        try MongoSession.run(options.server) { (client) throws(MongoError) in try client.command(["dropDatabase": 1], .write) }
        try await waitUntilSetUp(options)
        #expect(store.store.unavailableReason == nil)
        // Its rules are there again, too.
        let error = await #expect(throws: StoreError.self) { try await store.upsert(Self.device("b", "geheim"), in: .devices) }
        #expect(error?.reason == .refused, "\(String(describing: error))")
        try await store.upsert(Self.device("b"), in: .devices)
        #expect(try await store.get("b", in: .devices) != nil)
    }

    @Test func `an index that was taken away comes back while the store works`() async throws {
        let options = try options(.single)
        let store = try await RunningDocumentStore.started(options)
        try MongoSession.run(options.server) { (client) throws(MongoError) in
            try client.command(["dropIndexes": "devices", "index": "deviceId_1"], .write)
        }
        #expect(try missing(options) == ["index deviceId_1 of devices"])
        try await waitUntilSetUp(options)
        #expect(store.store.unavailableReason == nil)
    }

    @Test func `only a cluster is told to spread collections, each by its key, the unique ones by what is unique`() throws {
        func commands(_ kind: MongoServer.Kind) -> [BSONDocument] {
            MongoSetup.sharding(of: MongoCollection.all, in: "farwatch", on: MongoServer(kind: kind, version: "6.0.5"))
        }
        #expect(commands(.single).isEmpty && commands(.replicaSet).isEmpty)
        let commands = commands(.sharded)
        #expect(commands.first == ["enableSharding": "farwatch"] && commands.count == MongoCollection.all.count + 1)
        func key(_ name: String) -> BSONDocument? {
            let command = commands.first { $0["shardCollection"] == .string("farwatch." + name) }
            return command.map { ["key": $0["key"] ?? .null, "unique": $0["unique"] ?? .null] }
        }
        #expect(key("devices") == ["key": ["deviceId": .int32(1)], "unique": true])
        #expect(key("transactions") == ["key": ["hash": .int32(1)], "unique": true])
        #expect(key("events") == ["key": ["_id": "hashed"], "unique": false])
        // A unique index of a sharded collection begins with the shard key; a hashed key has none.
        for collection in MongoCollection.all {
            let field = try #require(collection.shardKey.members.first?.name)
            for index in collection.indexes where index.isUnique { #expect(index.keys.first?.field == field, "\(collection.name)") }
        }
    }
}
