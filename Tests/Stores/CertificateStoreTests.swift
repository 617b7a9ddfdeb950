import CacheStores
import CertificateService
import CollectorFixtures
import CollectorIngest
import DocumentStores
import SQLiteDriver
import Testing
import TimeSeriesStores

/// What the certificate service asks of stores.
@Suite(.serialized) struct CertificateStoreTests {
    private let scratch = ScratchDirectory()
    private static let id = String(repeating: "a", count: 64)

    private static func validation(_ at: Int64, place: String = "edge-1|/a", score: Double = 80) -> CertificateValidation {
        CertificateValidation(certificate: id, place: place, validationTime: 0.001, responseTime: 0.25, securityScore: score, at: at)
    }

    @Test(arguments: TimeSeriesMake.all)
    func `a validation is kept once, and found newest first`(make: TimeSeriesMake) async throws {
        let store = try await make.open(scratch)
        let start = SampleBatches.start
        let rows = [Self.validation(start), Self.validation(start + 1), Self.validation(start, place: "edge-2|/a", score: 70.5)]
        try await store.keep(rows)
        try await store.keep(rows + [Self.validation(start + 86_400_000 * 40)])
        try await store.keep([])
        let found = try await store.validations(of: Self.id, limit: 10)
        #expect(found.map { $0.at } == [start + 86_400_000 * 40, start + 1, start, start])
        #expect(
            Set(found.dropLast(2)).isSubset(of: Set(rows + [Self.validation(start + 86_400_000 * 40)])) && Set(found.suffix(2)) == [rows[0], rows[2]])
        #expect(try await store.validations(of: Self.id, limit: 2).count == 2)
        #expect(try await store.validations(of: "b", limit: 2).isEmpty)
    }

    /// The whole way of a certificate: found, renewed, its key lost to another device.
    @Test(arguments: DocumentMake.all)
    func `the service says the same over every make of the document store`(make: DocumentMake) async throws {
        let documents = try await make.open(scratch)
        let store = try EmbeddedTimeSeriesStore(directory: scratch.path + "/samples")
        let service = CertificateService(documents: documents, store: store, cache: MemoryCache())
        func report(_ scan: Int64, _ digit: Character, of device: String) async throws {
            let id = String(repeating: digit, count: 64)
            let chain: JSONValue = .array([.string(String(repeating: "c", count: 64))])
            let certificate: JSONValue = [
                "id": .string(id), "path": "/web.pem", "subject": "CN=web", "issuer": "CN=ca", "trusted": true, "role": "leaf", "has_key": true,
                "key_id": .string(String(repeating: "1", count: 64)), "score": 99, "validation_time": 0.5, "chain": chain,
                "findings": [["code": "weak_key", "severity": "problem"]], "not_before": "2026-01-01T00:00:00Z", "not_after": "2026-06-01T00:00:00Z",
            ]
            let body: JSONValue = ["scan": .integer(scan), "part": 1, "parts": 1, "certificates": .array([certificate])]
            let device = SampleBatches.device(device)
            try await service.receive(ReceivedDocument(device: device, type: "certificate_report", body: body, sealedAt: 1, receivedAt: 1))
        }
        try await report(10, "a", of: "edge-1")
        try await report(20, "b", of: "edge-1")
        try await report(20, "b", of: "edge-1")
        let old = try #require(try await service.detail(of: String(repeating: "a", count: 64)))
        #expect(old.places.isEmpty && old.history.map { $0["replacedBy"]?.text } == [String(repeating: "b", count: 64)])
        #expect(try await service.reusedKeys().isEmpty)
        try await report(10, "d", of: "edge-2")
        #expect(try await service.reusedKeys().map { $0.holders } == [["edge-1", "edge-2"]])
        // A key without a certificate, told twice and then no more.
        let key: JSONValue = ["key_id": .string(String(repeating: "1", count: 64)), "path": "/web.key"]
        for (scan, keys) in [(10, [key]), (20, [key]), (30, [])] {
            let body: JSONValue = ["scan": .integer(Int64(scan)), "part": 1, "parts": 1, "certificates": [], "keys": .array(keys)]
            let device = SampleBatches.device("edge-3")
            try await service.receive(ReceivedDocument(device: device, type: "certificate_report", body: body, sealedAt: 1, receivedAt: 1))
            #expect(try await service.reusedKeys().map { $0.holders } == [["edge-1", "edge-2"] + (keys.isEmpty ? [] : ["edge-3"])])
        }
        var question = CertificateQuestion()
        question.finding = "weak_key"
        question.limit = 1
        let first = try await service.page(question, at: SampleBatches.start)
        question.after = first.next
        let second = try await service.page(question, at: SampleBatches.start)
        #expect((first.certificates + second.certificates).map { $0.device }.sorted() == ["edge-1", "edge-2"] && second.next == nil)
        // Both by the key that the fleet shares, told in two pages though they end on one day.
        question = CertificateQuestion()
        question.status = .critical
        question.limit = 1
        let critical = try await service.page(question, at: SampleBatches.start)
        question.after = critical.next
        let other = try await service.page(question, at: SampleBatches.start)
        #expect((critical.certificates + other.certificates).map { $0.device } == ["edge-1", "edge-2"] && other.next == nil)
        question.status = .problem
        question.after = nil
        #expect(try await service.page(question, at: SampleBatches.start).certificates.isEmpty)
        #expect(try await service.blastRadius(of: String(repeating: "c", count: 64))?.stopping.devices == ["edge-1", "edge-2"])
        let year = SampleBatches.start..<SampleBatches.start + 365 * 86_400_000
        #expect(try await service.calendar(year).days.map { $0.ending.devices } == [["edge-1", "edge-2"]])
    }

    @Test func `no question of the service goes through a whole table of the embedded store`() async throws {
        _ = try EmbeddedDocumentStore(directory: scratch.path)
        let database = try Database(path: scratch.path + "/documents.sqlite")
        let body =
            ["certificate", "issuer", "keyId"].map { "json_extract(body, '$.\($0)') = ?1" }
            + ["id IN (SELECT id FROM \"certificatePlaces_codes_list\" WHERE value = ?1)"]
            // A status: those that their findings put there, and those that their end does.
            + ["id IN (SELECT id FROM \"certificatePlaces_codes_list\" WHERE value = ?1) AND json_extract(body, '$.notAfter') < ?4"]
            + ["json_extract(body, '$.notAfter') < ?1", "json_extract(body, '$.notAfter') >= ?1 AND json_extract(body, '$.notAfter') < ?4"]
        for condition in body {
            for cursor in ["", " AND (json_extract(body, '$.notAfter'), id) > (?3, ?4)"] {
                let plan = try database.prepare(
                    """
                    EXPLAIN QUERY PLAN SELECT id, body FROM "certificatePlaces" WHERE \(condition)\(cursor)
                    ORDER BY json_extract(body, '$.notAfter'), id LIMIT ?2
                    """)
                var steps: [String] = []
                while try plan.step() { steps.append(plan.text(3)) }
                #expect(steps.contains { $0.contains("SEARCH") && !$0.contains("_list") }, "\(condition)\(cursor): \(steps)")
                #expect(!steps.contains { $0.hasPrefix("SCAN") }, "\(condition)\(cursor): \(steps)")
            }
        }
    }
}
