import Foundation
import MongoDriver
import MongoFixtures
import Synchronization
import Testing

@Suite(.enabled(if: MongoProgram.missing == nil, Comment(rawValue: MongoProgram.missing ?? ""))) struct MongoClientTests {
    private func pool(_ kind: MongoDeployment.Kind, _ change: (inout MongoOptions) -> Void = { _ in }) throws -> MongoPool {
        var options = try SharedMongo.deployment(kind).options()
        change(&options)
        return try MongoPool(options)
    }

    @Test(arguments: MongoDeployment.Kind.allCases)
    func `the server says what it is`(kind: MongoDeployment.Kind) async throws {
        let server = try await pool(kind).run { (client) throws(MongoError) in try client.server() }
        #expect(server.version.hasPrefix("6."))
        #expect(server.kind.rawValue == kind.rawValue && server.hasTransactions == (kind != .single))
    }

    @Test(arguments: MongoDeployment.Kind.allCases)
    func `writes in bulk are done in order, and found again`(kind: MongoDeployment.Kind) async throws {
        let found = try await pool(kind).run { (client) throws(MongoError) in
            let result = try client.write(
                [
                    .replace(filter: ["_id": "a"], ["_id": "a", "n": 1]), .insert(["_id": "b", "n": 2]),
                    .update(filter: ["_id": "a"], ["$set": ["n": .int64(10)]], upsert: false),
                    .updateByPipeline(filter: ["_id": "c"], [["$replaceWith": ["$literal": ["_id": "c", "n": 3]]]], upsert: true),
                    .insert(["_id": "d", "n": 4]), .deleteMany(filter: ["n": ["$gt": 3, "$lt": 5]]), .deleteOne(filter: ["_id": "b"]),
                ], in: "things")
            #expect(result == MongoWriteResult(matched: 1, modified: 1, upserted: 2, inserted: 2, deleted: 2))
            #expect(try client.count([:], in: "things") == 2)
            return try client.find(MongoFind([:], sort: ["_id": -1], projection: ["n": 1], limit: 10), in: "things")
        }
        #expect(found == [["_id": "c", "n": 3], ["_id": "a", "n": .int64(10)]])
    }

    @Test func `what is found comes in batches up to the limit, and can be left half-way`() async throws {
        let pool = try pool(.single)
        try await pool.run { (client) throws(MongoError) in
            try client.write((0..<5_000).map { .insert(["_id": .int64($0)]) }, in: "many")
            #expect(try client.find(MongoFind([:], limit: 4_000), in: "many").count == 4_000)
            var seen = 0
            let error = #expect(throws: MongoError.self) {
                try client.forEach(MongoFind([:], limit: 5_000), in: "many") { (_) throws(MongoError) in
                    seen += 1
                    if seen == 1_500 { throw MongoError(.tooMuch, operation: "stop", detail: "enough") }
                }
            }
            #expect(seen == 1_500 && error?.reason == .tooMuch)
        }
    }

    @Test func `a second document of a key is a duplicate, and its key is not told`() async throws {
        let error = await #expect(throws: MongoError.self) {
            try await pool(.single).run { (client) throws(MongoError) in
                try client.write([.insert(["_id": "geheim"]), .insert(["_id": "geheim"])], in: "things")
            }
        }
        #expect(error?.reason == .duplicate && error?.code == 11_000)
        #expect(error?.description.contains("geheim") == false)
    }

    @Test(arguments: MongoDeployment.Kind.allCases)
    func `a document that breaks a rule is refused with the field's name, and its value is not told`(
        kind: MongoDeployment.Kind
    ) async throws {
        let rules: BSONValue = [
            "bsonType": "object", "required": ["status"],
            "properties": ["status": ["enum": ["on", "off"]], "facts": ["bsonType": "object", "properties": ["os": ["bsonType": "string"]]]],
        ]
        let pool = try pool(kind)
        try await pool.run { (client) throws(MongoError) in try client.command(["create": "ruled", "validator": ["$jsonSchema": rules]], .write) }
        let broken: [(BSONDocument, String)] = [
            (["_id": "a"], "field status is missing"), (["_id": "a", "status": "geheim"], "field status breaks enum"),
            (["_id": "a", "status": "on", "facts": ["os": .int32(4_711)]], "field facts.os breaks bsonType"),
        ]
        for (document, expected) in broken {
            let error = await #expect(throws: MongoError.self) {
                try await pool.run { (client) throws(MongoError) in try client.write([.replace(filter: ["_id": "a"], document)], in: "ruled") }
            }
            #expect(error?.reason == .validation && error?.code == 121 && error?.isTransient == false)
            #expect(error?.detail.contains(expected) == true, "\(String(describing: error))")
            #expect(error?.detail.contains("geheim") == false && error?.detail.contains("4711") == false)
        }
    }

    /// As a store does: two that keep getting into each other's way on a busy machine are told so, and nothing is done.
    private static func persist(_ body: () async throws -> Void) async throws {
        while true {
            do { return try await body() } catch let error as MongoError where error.reason == .conflict {}
        }
    }

    @Test func `a transaction is all or nothing, and two that meet are done after each other`() async throws {
        let pool = try pool(.replicaSet)
        try await pool.run { (client) throws(MongoError) in try client.write([.insert(["_id": "n", "n": 0])], in: "counters") }
        let error = await #expect(throws: MongoError.self) {
            try await pool.run { (client) throws(MongoError) in
                try client.transaction { (client) throws(MongoError) in
                    try client.write([.update(filter: ["_id": "n"], ["$inc": ["n": 100]], upsert: false)], in: "counters")
                    try client.write([.insert(["_id": "n"])], in: "counters")
                }
            }
        }
        #expect(error?.reason == .duplicate)
        let count: @Sendable (MongoClient) throws(MongoError) -> Void = { (client) throws(MongoError) in
            try client.transaction { (client) throws(MongoError) in
                let found = try client.find(MongoFind(["_id": "n"], limit: 1), in: "counters")
                let next = (found.first?["n"]?.integer ?? -1_000) + 1
                try client.write([.replace(filter: ["_id": "n"], ["_id": "n", "n": .int64(next)])], in: "counters")
            }
        }
        try await withThrowingTaskGroup { group in
            for _ in 0..<4 {
                group.addTask { for _ in 0..<10 { try await Self.persist { try await pool.run(count) } } }
            }
            try await group.waitForAll()
        }
        let found = try await pool.run { (client) throws(MongoError) in try client.find(MongoFind([:], limit: 9), in: "counters") }
        #expect(found == [["_id": "n", "n": .int64(40)]])
    }

    @Test func `every command is told of, with how it ended`() async throws {
        let told = Mutex<[String: Int]>([:])
        let pool = try MongoPool(SharedMongo.deployment(.single).options()) { event in
            told.withLock { $0[event.name + (event.isSuccess && event.seconds >= 0 ? "" : " failed"), default: 0] += 1 }
        }
        try await pool.run { (client) throws(MongoError) in
            try client.write([.insert(["_id": 1])], in: "things")
            _ = try client.find(MongoFind([:], limit: 1), in: "things")
        }
        _ = try? await pool.run { (client) throws(MongoError) in try client.command(["nonsense": 1]) }
        #expect(told.withLock { $0 } == ["insert": 1, "find": 1, "nonsense failed": 1])
    }

    @Test func `more callers than connections wait for their turn, and a closed pool refuses`() async throws {
        let pool = try pool(.single) { $0.connectionsMax = 2 }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<50 {
                group.addTask {
                    _ = try await pool.run { (client) throws(MongoError) in try client.write([.insert(["_id": .int64(Int64(index))])], in: "things") }
                }
            }
            try await group.waitForAll()
        }
        #expect(pool.counts == MongoPoolCounts(active: 0, idle: 2, waiting: 0))
        #expect(try await pool.run { (client) throws(MongoError) in try client.count([:], in: "things") } == 50)
        await pool.close()
        let error = await #expect(throws: MongoError.self) { try await pool.run { (client) throws(MongoError) in try client.ping() } }
        #expect(error?.reason == .poolClosed)
    }
}
