import CollectorFixtures
import DocumentStores
import Foundation
import MongoDriver
import MongoFixtures
import MongoStores
import ServiceSupport
import Testing

/// The make on MongoDB beyond its role.
@Suite(.enabled(if: MongoProgram.missing == nil, Comment(rawValue: MongoProgram.missing ?? ""))) struct MongoStoreTests {
    private func options(_ kind: MongoDeployment.Kind) throws -> MongoDocumentOptions {
        MongoDocumentOptions(try SharedMongo.deployment(kind).options())
    }

    @discardableResult private func use<Value: Sendable>(
        _ options: MongoDocumentOptions, _ body: @Sendable (MongoClient) throws(MongoError) -> Value
    ) throws -> Value { try MongoSession.run(options.server, body) }

    private static func device(_ id: String, _ more: [String: JSONValue] = [:]) -> Document {
        let usual: [String: JSONValue] = ["deviceId": .string(id), "status": "online", "firstSeen": 1_767_225_600_000]
        return Document(id, .object(usual.merging(more) { $1 }))
    }

    @Test(arguments: MongoDeployment.Kind.allCases)
    func `a document that breaks its collection's rules is refused by the field's name, and the rest is taken`(
        kind: MongoDeployment.Kind
    ) async throws {
        let store = try await RunningDocumentStore.started(options(kind))
        let broken: [(Document, String)] = [
            (Self.device("a", ["status": "geheim"]), "status"), (Self.device("a", ["firstSeen": "yesterday"]), "firstSeen"),
            (Self.device("a", ["facts": ["os": ["geheim"]]]), "facts"), (Self.device("a", ["labels": ["site": 7]]), "labels"),
            (Self.device("a", ["deviceId": "b"]), "deviceId"),
            (Document("a", ["deviceId": "a"]), "status"), (Document("a", "geheim"), "object"),
        ]
        for (document, field) in broken {
            let error = await #expect(throws: StoreError.self) { try await store.upsert(document, in: .devices) }
            #expect(error?.reason == .refused && error?.detail.contains(field) == true, "\(String(describing: error))")
            #expect(error?.description.contains("geheim") == false)
        }
        let large = Self.device("a", ["facts": ["x": .string(String(repeating: "x", count: 17 << 20))]])
        #expect(await #expect(throws: StoreError.self) { try await store.upsert(large, in: .devices) }?.reason == .refused)
        #expect(store.store.unavailableReason == nil)
        try await store.upsert(Self.device("a"), in: .devices)
        #expect(try await store.count([], in: .devices) == 1)
    }

    @Test(arguments: MongoDeployment.Kind.allCases)
    func `a document that another of a strange id keeps out is refused by the index's name, and the rest is taken`(
        kind: MongoDeployment.Kind
    ) async throws {
        let options = try options(kind)
        let store = try await RunningDocumentStore.started(options)
        try use(options) { (client) throws(MongoError) in
            let strange: BSONDocument = ["_id": "strange", "deviceId": "a", "status": "online", "firstSeen": .date(1)]
            try client.write([.insert(strange)], in: "devices")
        }
        let document = Self.device("a")
        let upsert = await #expect(throws: StoreError.self) { try await store.upsert(document, in: .devices) }
        let change = await #expect(throws: StoreError.self) {
            try await store.change(["a", "b"], in: .devices) { _ in [.upsert(document, in: .devices), .upsert(Self.device("b"), in: .devices)] }
        }
        for error in [upsert, change] {
            #expect(error?.reason == .refused && error?.detail.contains("deviceId_1") == true, "\(String(describing: error))")
        }
        #expect(store.store.unavailableReason == nil)
        try await store.upsert(Self.device("b"), in: .devices)
        #expect(try await store.find(DocumentQuery(), in: .devices).map { $0.id }.sorted() == ["b", "strange"])
    }

    @Test func `on a replica set a change that is refused half-way leaves nothing behind`() async throws {
        let store = try await RunningDocumentStore.started(options(.replicaSet))
        _ = await #expect(throws: StoreError.self) {
            try await store.apply([.upsert(Self.device("a"), in: .devices), .upsert(Self.device("b", ["status": "x"]), in: .devices)])
        }
        #expect(try await store.count([], in: .devices) == 0)
    }

    @Test func `times are dates, and ids are under the names of the data model`() async throws {
        let options = try options(.single)
        let store = try await RunningDocumentStore.started(options)
        try await store.upsert(Self.device("a", ["facts": ["at": 5, "os.name": "x"]]), in: .devices)
        let stored = try use(options) { (client) throws(MongoError) in try client.find(MongoFind([:], limit: 9), in: "devices") }
        #expect(stored.count == 1 && stored[0]["_id"] == "a" && stored[0]["deviceId"] == "a")
        #expect(stored[0]["firstSeen"] == .date(1_767_225_600_000))
        #expect(stored[0]["facts"] == ["at": .int64(5), "os%2Ename": "x"])
    }

    @Test(arguments: MongoDeployment.Kind.allCases)
    func `a database is set up once, however many try at once, and what was taken away comes back`(
        kind: MongoDeployment.Kind
    ) async throws {
        let options = try options(kind)
        let plan = try use(options) { (client) throws(MongoError) in try MongoSetup(client, eventsKept: nil).plan() }
        #expect(plan.steps.count > MongoCollection.all.count && plan.unknown == nil)
        async let one = RunningDocumentStore.started(options)
        async let other = RunningDocumentStore.started(options)
        _ = try await (one, other)
        func missing(_ kept: Duration? = nil) throws -> [String] {
            try use(options) { (client) throws(MongoError) in try MongoSetup(client, eventsKept: kept).plan() }.steps.map { $0.description }
        }
        #expect(try missing() == [])
        #expect(try missing(.seconds(86_400)) == ["index receivedAt_1 of events, in place of another (receivedAt_1)"])
        try use(options) { (client) throws(MongoError) in
            try client.command(["dropIndexes": "devices", "index": "status_1__id_1"], .write)
            // Under another name it does as well; one that is not unique does not, whatever its name.
            try client.command(["createIndexes": "devices", "indexes": [["key": ["status": 1, "_id": 1], "name": "theirs"]]], .write)
            try client.command(["dropIndexes": "devices", "index": "deviceId_1"], .write)
            try client.command(["createIndexes": "devices", "indexes": [["key": ["deviceId": 1], "name": "deviceId_1"]]], .write)
            try client.command(["collMod": "audit", "validationLevel": "off"], .write)
            _ = try MongoSetup(client, eventsKept: .seconds(86_400)).apply()
        }
        #expect(try missing(.seconds(86_400)) == [])
        try use(options) { (client) throws(MongoError) in
            try client.write([.replace(filter: ["_id": "setup"], ["_id": "setup", "version": 99])], in: "farwatch_schema")
        }
        let store = try RunningDocumentStore(options)
        for _ in 0..<500 where store.store.unavailableReason?.contains("newer Farwatch") != true { try await Task.sleep(for: .milliseconds(20)) }
        #expect(store.store.unavailableReason?.contains("newer Farwatch (version 99") == true)
    }

    @Test func `events and temporary documents go when their time has come`() async throws {
        var options = try options(.single)
        options.eventsKept = .seconds(3_600)
        let store = try await RunningDocumentStore.started(options)
        let now = Int64(Date().timeIntervalSince1970 * 1_000)
        let events = [("old", now - 3_700_000), ("new", now)].map { id, at -> DocumentChange in
            .upsert(Document(id, ["device": "d", "type": "t", "at": .integer(now), "receivedAt": .integer(at)]), in: .events)
        }
        try await store.apply(events)
        try use(options) { (client) throws(MongoError) in
            try client.write(
                [.insert(["_id": "t", "expiresAt": .date(now - 1_000)]), .insert(["_id": "u", "expiresAt": .date(now + 3_600_000)])], in: "temporary")
        }
        // The server looks every second.
        var left = (events: 2, temporary: 2)
        for _ in 0..<200 where left != (1, 1) {
            try await Task.sleep(for: .milliseconds(50))
            left.events = try await store.count([], in: .events)
            left.temporary = try use(options) { (client) throws(MongoError) in try client.count([:], in: "temporary") }
        }
        #expect(left == (1, 1))
        #expect(try await store.get("new", in: .events) != nil)
    }

    /// What services ask, and what they delete by.
    private static let questions: [(DocumentQuery, DocumentStores.Collection)] =
        [
            (DocumentQuery(), .devices), (DocumentQuery(), .certificatePlaces), (DocumentQuery(order: .ascending("notAfter")), .certificatePlaces),
            (DocumentQuery([.equals("device", "d1")], order: .ascending("notAfter")), .certificatePlaces),
            (DocumentQuery([.equals("device", "d1")]), .certificatePlaces),
            (DocumentQuery([.equals("device", "d1"), .less("scan", 5)]), .certificatePlaces), (DocumentQuery(order: .descending("at")), .events),
            (DocumentQuery([.equals("device", "d1")], order: .descending("at"), limit: 50), .events),
        ] + pages + histories + keys

    private static let soonest = DocumentQuery.Order.ascending("notAfter")

    /// Lists of certificates, each from its beginning and from a place in it.
    private static let pages: [(DocumentQuery, DocumentStores.Collection)] = {
        let conditions: [[DocumentCondition]] = [
            [], [.equals("certificate", "c")], [.equals("issuer", "i")], [.equals("keyId", "k")], [.contains("codes", "x")],
            [.contains("chain", "x")], [.equals("servedOnly", true)], [.atLeast("notAfter", 1), .less("notAfter", 50)],
            [.equals("device", "d1"), .contains("codes", "x")],
        ]
        return conditions.flatMap { conditions in
            [nil, DocumentCursor(value: 5, id: "p5"), DocumentCursor(value: nil, id: "p5")].map { after in
                (DocumentQuery(conditions, order: soonest, limit: 100, after: after), .certificatePlaces)
            }
        } + [(DocumentQuery([.equals("keyReuse", "critical")], order: .ascending("keyId")), .certificatePlaces)]
    }()

    private static let keys: [(DocumentQuery, DocumentStores.Collection)] = [
        (DocumentQuery([.equals("device", "d1"), .less("scan", 5)]), .keyPlaces), (DocumentQuery([.equals("keyId", "k")], limit: 64), .keyPlaces),
        (DocumentQuery([.equals("keyReuse", "critical")], order: .ascending("keyId")), .keyPlaces),
    ]

    private static let histories: [(DocumentQuery, DocumentStores.Collection)] = [
        (DocumentQuery([.equals("certificate", "c")], order: .descending("to")), .certificateHistory),
        (DocumentQuery([.equals("replacedBy", "c")], order: .descending("to")), .certificateHistory),
        (
            DocumentQuery([.atLeast("expiryDate", 1), .less("expiryDate", 9), .equals("is_authority", true)], order: .ascending("expiryDate")),
            .certificates
        ),
    ]

    @Test(arguments: MongoDeployment.Kind.allCases)
    func `no question of a service goes through a whole collection`(
        kind: MongoDeployment.Kind
    ) async throws {
        let options = try options(kind)
        let store = try await RunningDocumentStore.started(options)
        try await store.apply(
            (0..<200).map { index in
                let body: JSONValue = [
                    "device": .string("d\(index % 20)"), "path": "/p", "certificate": "c", "trusted": true, "scan": .integer(Int64(index)),
                    "notAfter": .integer(Int64(index)),
                ]
                return .upsert(Document("p\(index)", body), in: .certificatePlaces)
            })
        for (query, collection) in Self.questions { try expectIndex(#require(MongoQueries(collection).find(query)), collection.name, options) }
        try expectIndex(MongoQueries.get(["p1", "p2"]), "certificatePlaces", options)
        try expectIndex(MongoQueries.firstBeyond(100, by: "at"), "events", options)
    }

    private func expectIndex(_ find: MongoFind, _ collection: String, _ options: MongoDocumentOptions) throws {
        let plan = try use(options) { (client) throws(MongoError) in
            try client.command(["explain": .document(find.command(in: collection)), "verbosity": "queryPlanner"])
        }
        let stages = Self.stages(plan["queryPlanner"]?.document?["winningPlan"])
        #expect(!stages.contains("COLLSCAN") && (stages.contains("IXSCAN") || stages.contains("IDHACK")), "\(collection) \(find.filter): \(stages)")
    }

    private static func stages(_ plan: BSONValue?) -> [String] {
        guard let plan = plan?.document else { return [] }
        let own = plan["stage"]?.text.map { [$0] } ?? []
        let inner = plan.members.flatMap { name, value in
            name == "inputStages" ? (value.array ?? []).flatMap { stages($0) } : ["inputStage", "queryPlan"].contains(name) ? stages(value) : []
        }
        return own + inner
    }
}
