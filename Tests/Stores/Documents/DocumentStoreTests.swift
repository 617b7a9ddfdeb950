import CollectorFixtures
import DocumentStores
import Foundation
import MongoDriver
import MongoFixtures
import MongoStores
import ServiceSupport
import Testing

/// A make of the document role: how to open it, and again after it was closed, in the same place.
struct DocumentMake: CustomTestStringConvertible, Sendable {
    let name: String
    var hasTransactions = true
    let open: @Sendable (ScratchDirectory) async throws -> any DocumentStore

    var testDescription: String { name }

    /// Where there is no MongoDB, the driver's suites tell.
    static let all = embedded + (MongoProgram.missing == nil ? MongoDeployment.Kind.allCases.map(mongo) : [])

    private static let embedded = [DocumentMake(name: "embedded") { try EmbeddedDocumentStore(directory: $0.path) }]

    private static func mongo(_ kind: MongoDeployment.Kind) -> DocumentMake {
        DocumentMake(name: "MongoDB, " + kind.description, hasTransactions: kind != .single) { try await RunningDocumentStore.start(kind, at: $0) }
    }
}

/// What every make of the role keeps to.
@Suite struct DocumentStoreTests {
    private let scratch = ScratchDirectory()

    /// An event with more in it.
    private static func event(_ id: String, at: Int64 = 1, _ more: [String: JSONValue] = [:]) -> Document {
        let usual: [String: JSONValue] = ["device": "d", "type": "t", "at": .integer(at), "receivedAt": 1]
        return Document(id, .object(usual.merging(more) { $1 }))
    }

    private static func place(_ id: String, device: JSONValue = "d", scan: Int64 = 1, _ more: [String: JSONValue] = [:]) -> Document {
        let usual: [String: JSONValue] = ["device": device, "path": "/p", "certificate": "c", "trusted": true, "scan": .integer(scan)]
        return Document(id, .object(usual.merging(more) { $1 }))
    }

    private static func scan(_ id: String, _ scan: Int64) -> Document { Document(id, ["scan": .integer(scan), "parts": 1]) }

    @Test(arguments: DocumentMake.all)
    func `a document is found by its id, replaced and deleted`(make: DocumentMake) async throws {
        let store = try await make.open(scratch)
        let first = Self.event("a'b\"c", ["text": "grüße\n\u{1}", "number": 1.5, "whole": .number(2), "nested": ["list": [1, true, nil]]])
        try await store.upsert(first, in: .events)
        #expect(try await store.get(first.id, in: .events) == first)
        #expect(try await store.get(first.id, in: .certificates) == nil)
        let second = Self.event(first.id, ["text": "new"])
        try await store.upsert(second, in: .events)
        #expect(try await store.get(first.id, in: .events) == second)
        #expect(try await store.count([], in: .events) == 1)
        try await store.delete(first.id, in: .events)
        #expect(try await store.get(first.id, in: .events) == nil)
    }

    @Test(arguments: DocumentMake.all)
    func `whatever a device calls a field, and whatever is in it, comes back`(make: DocumentMake) async throws {
        let store = try await make.open(scratch)
        let odd: [String: JSONValue] = [
            "": 1, "$set": 2, "a.b": 3, "a": ["b": 4, "$where": "x", "": [], "c.d": [:]], "%2E": 5, "%": 6, "_id": 7, "_revision": "8", "x\u{0}y": 9,
            "1": .integer(.max), "0": .integer(.min), "u": "\u{0}\u{10FFFF}", "e": .number(-1e308), "dollar$": "$at",
        ]
        let document = Self.event("%.$\u{1F600}", ["body": .object(odd)].merging(odd) { $1 })
        try await store.upsert(document, in: .events)
        #expect(try await store.get(document.id, in: .events) == document)
        try await store.apply([.upsertUnlessOlder(document, by: "at", in: .events)])
        #expect(try await store.find(DocumentQuery([.equals("device", "d")]), in: .events) == [document])
    }

    @Test(arguments: DocumentMake.all)
    func `documents are there after a restart`(make: DocumentMake) async throws {
        var store: (any DocumentStore)? = try await make.open(scratch)
        try await store?.upsert(Self.event("a", ["x": 1]), in: .events)
        store = nil
        #expect(try await make.open(scratch).get("a", in: .events) == Self.event("a", ["x": 1]))
    }

    @Test(arguments: DocumentMake.all)
    func `conditions, order and limit hold together`(make: DocumentMake) async throws {
        let store = try await make.open(scratch)
        let changes = (0..<20).map { index in
            let more: [String: JSONValue] = ["notAfter": .integer(Int64(20 - index)), "trusted": .bool(index < 10)]
            return DocumentChange.upsert(Self.place("id\(index)", device: index % 2 == 0 ? "even" : "odd", more), in: .certificatePlaces)
        }
        try await store.apply(changes + [.upsert(Self.place("none", device: "even"), in: .certificatePlaces)])
        let query = DocumentQuery([.equals("device", "even"), .less("notAfter", 15)], order: .ascending("notAfter"), limit: 3)
        #expect(try await store.find(query, in: .certificatePlaces).map { $0.id } == ["id18", "id16", "id14"])
        let newest = DocumentQuery(order: .descending("notAfter"), limit: 2)
        #expect(try await store.find(newest, in: .certificatePlaces).map { $0.id } == ["id0", "id1"])
        // Those without the field come first, and match no condition on it.
        let soonest = DocumentQuery([.equals("device", "even")], order: .ascending("notAfter"), limit: 2)
        #expect(try await store.find(soonest, in: .certificatePlaces).map { $0.id } == ["none", "id18"])
        #expect(try await store.find(DocumentQuery(limit: 3), in: .certificatePlaces).map { $0.id } == ["id0", "id1", "id10"])
        #expect(try await store.count([.equals("trusted", true)], in: .certificatePlaces) == 11)
        #expect(try await store.count([.less("notAfter", 100)], in: .certificatePlaces) == 20)
        #expect(try await store.count([.equals("missing", 1)], in: .certificatePlaces) == 0)
        #expect(try await store.count([.equals("missing", nil)], in: .certificatePlaces) == 0)
        #expect(try await store.get(["id3", "nobody", "id4"], in: .certificatePlaces).count == 2)
        #expect(try await store.get([], in: .certificatePlaces).isEmpty)
    }

    @Test(arguments: DocumentMake.all)
    func `what is in a list is found by, as long as it is in it`(make: DocumentMake) async throws {
        let store = try await make.open(scratch)
        func found(_ code: String, _ more: [DocumentCondition] = []) async throws -> [String] {
            try await store.find(DocumentQuery([.contains("codes", code)] + more), in: .certificatePlaces).map { $0.id }
        }
        try await store.apply([
            .upsert(Self.place("a", ["codes": ["x", "y", "x"]]), in: .certificatePlaces),
            .upsert(Self.place("b", device: "e", ["codes": ["y", "z'"]]), in: .certificatePlaces),
            .upsert(Self.place("c", ["codes": []]), in: .certificatePlaces), .upsert(Self.place("d"), in: .certificatePlaces),
        ])
        #expect(try await found("x") == ["a"])
        #expect(try await found("y") == ["a", "b"])
        #expect(try await found("z'") == ["b"])
        #expect(try await found("xy") == [])
        #expect(try await found("y", [.equals("device", "e")]) == ["b"])
        #expect(try await store.count([.contains("codes", "y")], in: .certificatePlaces) == 2)
        try await store.apply([
            .upsert(Self.place("a", scan: 2, ["codes": ["y"]]), in: .certificatePlaces),
            .upsertUnlessOlder(Self.place("c", scan: 2, ["codes": ["x"]]), by: "scan", in: .certificatePlaces), .delete("b", in: .certificatePlaces),
        ])
        #expect(try await found("x") == ["c"])
        #expect(try await found("y") == ["a"])
        #expect(try await found("z'") == [])
        try await store.apply([.deleteAll([.contains("codes", "y")], in: .certificatePlaces), .deleteAll([.less("scan", 2)], in: .certificatePlaces)])
        #expect(try await store.find(DocumentQuery(), in: .certificatePlaces).map { $0.id } == ["c"])
    }

    @Test(arguments: DocumentMake.all)
    func `pages follow each other by a field or by id, also where the field is missing`(make: DocumentMake) async throws {
        let store = try await make.open(scratch)
        try await store.apply(
            (0..<23).map { index in
                let more: [String: JSONValue] = index % 5 == 0 ? [:] : ["notAfter": .integer(Int64(index / 4))]
                return .upsert(Self.place("id\(index)", device: index % 2 == 0 ? "even" : "odd", more), in: .certificatePlaces)
            })
        for order in [DocumentQuery.Order.id, .ascending("notAfter")] {
            for conditions in [[], [DocumentCondition.equals("device", "even")], [.atLeast("notAfter", 2), .less("notAfter", 5)]] {
                let all = try await store.find(DocumentQuery(conditions, order: order), in: .certificatePlaces)
                for size in [1, 4, 50] {
                    var seen: [Document] = []
                    while true {
                        let after = seen.last.map { DocumentCursor($0, order) }
                        let page = try await store.find(DocumentQuery(conditions, order: order, limit: size, after: after), in: .certificatePlaces)
                        seen += page
                        if page.count < size { break }
                    }
                    #expect(seen.map { $0.id } == all.map { $0.id }, "\(order) \(size)")
                }
            }
        }
        #expect(try await store.count([.atLeast("notAfter", 2)], in: .certificatePlaces) == 12)
    }

    @Test(arguments: DocumentMake.all)
    func `documents of several collections are read and changed together`(make: DocumentMake) async throws {
        let store = try await make.open(scratch)
        try await store.upsert(Self.scan("a", 1), in: .certificateScans)
        try await store.change(reading: [.certificateScans: ["a", "b"], .events: ["a"]]) { found in
            guard found[.events]?.isEmpty == true, found[.certificateScans]?.map({ $0.id }) == ["a"] else { return [] }
            return [.upsert(Self.event("a"), in: .events), .upsert(Self.scan("a", 2), in: .certificateScans)]
        }
        #expect(try await store.get("a", in: .certificateScans)?["scan"] == 2)
        #expect(try await store.get("a", in: .events) != nil)
    }

    @Test(arguments: DocumentMake.all)
    func `what arrives late never overwrites what is newer`(make: DocumentMake) async throws {
        let store = try await make.open(scratch)
        for (scan, text) in [(5, "five"), (4, "four"), (5, "five again")] as [(Int64, String)] {
            let document = Self.place("a", scan: scan, ["text": .string(text)])
            try await store.apply([.upsertUnlessOlder(document, by: "scan", in: .certificatePlaces)])
        }
        #expect(try await store.get("a", in: .certificatePlaces)?["text"] == "five again")
        // One that does not say how old it is is older than any that does.
        try await store.apply([.upsertUnlessOlder(Self.place("a", ["text": "none"]), by: "seenAt", in: .certificatePlaces)])
        try await store.apply([.upsertUnlessOlder(Self.place("b", ["text": "new"]), by: "seenAt", in: .certificatePlaces)])
        #expect(try await store.get("a", in: .certificatePlaces)?["text"] == "five again")
        #expect(try await store.get("b", in: .certificatePlaces)?["text"] == "new")
    }

    @Test(arguments: DocumentMake.all)
    func `deleting by condition and keeping the greatest remove exactly the rest`(make: DocumentMake) async throws {
        let store = try await make.open(scratch)
        try await store.apply((0..<10).map { .upsert(Self.event("id\($0)", at: $0), in: .events) })
        try await store.apply([.deleteAll([.equals("device", "d"), .less("at", 3)], in: .events), .keepGreatest(4, by: "at", in: .events)])
        #expect(try await store.find(DocumentQuery(), in: .events).map { $0.id } == ["id6", "id7", "id8", "id9"])
        // Of those that are alike the greatest ids stay.
        try await store.apply((0..<10).map { .upsert(Self.event("id\($0)"), in: .events) } + [.keepGreatest(2, by: "at", in: .events)])
        #expect(try await store.find(DocumentQuery(), in: .events).map { $0.id } == ["id8", "id9"])
        try await store.apply([.keepGreatest(2, by: "at", in: .events), .keepGreatest(0, by: "none", in: .events)])
        #expect(try await store.count([], in: .events) == 0)
    }

    @Test(arguments: DocumentMake.all)
    func `changes of several collections are done in order`(make: DocumentMake) async throws {
        let store = try await make.open(scratch)
        try await store.apply([
            .upsert(Self.event("a"), in: .events), .upsert(Self.scan("a", 1), in: .certificateScans), .delete("a", in: .events),
            .upsert(Self.scan("a", 2), in: .certificateScans), .upsert(Self.event("b"), in: .events),
        ])
        #expect(try await store.find(DocumentQuery(), in: .events).map { $0.id } == ["b"])
        #expect(try await store.get("a", in: .certificateScans)?["scan"] == 2)
    }

    /// Each change makes the numbers of all the documents greater by one.
    private func count(_ ids: [[String]], by make: DocumentMake) async throws -> [JSONValue?] {
        let stores = [try await make.open(scratch), try await make.open(scratch)]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<8 {
                group.addTask {
                    for round in 0..<10 {
                        let ids = ids[(index + round) % ids.count]
                        try await stores[index % 2].change(ids, in: .certificateScans) { found in
                            let counts = Dictionary(found.map { ($0.id, $0["scan"]?.integer ?? 0) }) { first, _ in first }
                            return ids.map { .upsert(Self.scan($0, (counts[$0] ?? 0) + 1), in: .certificateScans) }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        try await stores[1].change(["a"], in: .certificateScans) { _ in [] }
        return try await stores[0].find(DocumentQuery(), in: .certificateScans).map { $0["scan"] }
    }

    @Test(arguments: DocumentMake.all)
    func `nothing comes between reading a document and changing it, of however many collectors`(make: DocumentMake) async throws {
        #expect(try await count([["a"], ["b"]], by: make) == [40, 40])
    }

    /// A single server of MongoDB has no transactions: of changes that meet one is done again, and what of it was done before must not matter.
    @Test(arguments: DocumentMake.all.filter { $0.hasTransactions })
    func `nothing comes between reading several documents and changing them`(make: DocumentMake) async throws {
        #expect(try await count([["a", "b"], ["b", "a"]], by: make) == [80, 80])
    }
}
