import CollectorFixtures
import DocumentStores
import Testing

/// A make of the document role.
struct DocumentMake: CustomTestStringConvertible, Sendable {
    let name: String
    let open: @Sendable (ScratchDirectory) throws -> any DocumentStore

    var testDescription: String { name }

    static let all = [DocumentMake(name: "embedded") { try EmbeddedDocumentStore(directory: $0.path) }]
}

/// What every make of the role keeps to.
@Suite struct DocumentStoreTests {
    private let scratch = ScratchDirectory()

    @Test(arguments: DocumentMake.all)
    func `a document is found by its id, replaced and deleted`(make: DocumentMake) async throws {
        let store = try make.open(scratch)
        let first = Document("a'b\"c", ["text": "grüße\n\u{1}", "number": 1.5, "nested": ["list": [1, true, nil]]])
        try await store.upsert(first, in: .devices)
        #expect(try await store.get(first.id, in: .devices) == first)
        #expect(try await store.get(first.id, in: .certificates) == nil)
        try await store.upsert(Document(first.id, ["text": "new"]), in: .devices)
        #expect(try await store.get(first.id, in: .devices)?["text"] == "new")
        #expect(try await store.count([], in: .devices) == 1)
        try await store.delete(first.id, in: .devices)
        #expect(try await store.get(first.id, in: .devices) == nil)
    }

    @Test(arguments: DocumentMake.all)
    func `documents are there after a restart`(make: DocumentMake) async throws {
        var store: (any DocumentStore)? = try make.open(scratch)
        try await store?.upsert(Document("a", ["x": 1]), in: .events)
        store = nil
        #expect(try await make.open(scratch).get("a", in: .events) == Document("a", ["x": 1]))
    }

    @Test(arguments: DocumentMake.all)
    func `conditions, order and limit hold together`(make: DocumentMake) async throws {
        let store = try make.open(scratch)
        let changes = (0..<20).map { index in
            let device: JSONValue = index % 2 == 0 ? "even" : "odd"
            let body: JSONValue = ["device": device, "notAfter": .integer(Int64(20 - index)), "trusted": .bool(index < 10)]
            return DocumentChange.upsert(Document("id\(index)", body), in: .certificatePlaces)
        }
        try await store.apply(changes)
        let query = DocumentQuery([.equals("device", "even"), .less("notAfter", 15)], order: .ascending("notAfter"), limit: 3)
        #expect(try await store.find(query, in: .certificatePlaces).map { $0.id } == ["id18", "id16", "id14"])
        let newest = DocumentQuery(order: .descending("notAfter"), limit: 2)
        #expect(try await store.find(newest, in: .certificatePlaces).map { $0.id } == ["id0", "id1"])
        #expect(try await store.count([.equals("trusted", true)], in: .certificatePlaces) == 10)
        #expect(try await store.count([.equals("missing", 1)], in: .certificatePlaces) == 0)
        #expect(try await store.get(["id3", "none", "id4"], in: .certificatePlaces).count == 2)
    }

    @Test(arguments: DocumentMake.all)
    func `what arrives late never overwrites what is newer`(make: DocumentMake) async throws {
        let store = try make.open(scratch)
        for (scan, text) in [(5, "five"), (4, "four"), (5, "five again")] as [(Int64, String)] {
            let document = Document("a", ["scan": .integer(scan), "text": .string(text)])
            try await store.apply([.upsertUnlessOlder(document, by: "scan", in: .certificatePlaces)])
        }
        #expect(try await store.get("a", in: .certificatePlaces)?["text"] == "five again")
    }

    @Test(arguments: DocumentMake.all)
    func `deleting by condition and keeping the greatest remove exactly the rest`(make: DocumentMake) async throws {
        let store = try make.open(scratch)
        try await store.apply((0..<10).map { .upsert(Document("id\($0)", ["device": "d", "at": .integer($0)]), in: .events) })
        try await store.apply([.deleteAll([.equals("device", "d"), .less("at", 3)], in: .events), .keepGreatest(4, by: "at", in: .events)])
        #expect(try await store.find(DocumentQuery(), in: .events).map { $0.id } == ["id6", "id7", "id8", "id9"])
    }
}
