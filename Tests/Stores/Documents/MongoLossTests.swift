import CollectorFixtures
import DocumentStores
import Foundation
import MongoDriver
import MongoFixtures
import MongoStores
import ServiceSupport
import Testing

/// The make on MongoDB while its servers are lost, stand still, and come back.
@Suite(.enabled(if: MongoProgram.missing == nil, Comment(rawValue: MongoProgram.missing ?? ""))) struct MongoLossTests {
    private static func device(_ id: String) -> Document {
        Document(id, ["deviceId": .string(id), "status": "online", "firstSeen": 1_767_225_600_000])
    }

    @Test func `a server that is down is told at once, and is back by itself`() async throws {
        let deployment = try MongoDeployment(.single)
        let store = try await RunningDocumentStore.started(MongoDocumentOptions(deployment.options()))
        try await store.upsert(Self.device("a"), in: .devices)
        deployment.nodes[0].kill()
        for _ in 0..<1_000 where store.store.unavailableReason == nil { try await Task.sleep(for: .milliseconds(20)) }
        let began = ContinuousClock.now
        let error = await #expect(throws: StoreError.self) { try await store.upsert(Self.device("b"), in: .devices) }
        #expect(error?.reason == .unavailable && error?.description.contains("MongoDB cannot") == true)
        #expect(ContinuousClock.now - began < .seconds(3))
        try deployment.nodes[0].start()
        try await store.waitUntilReady()
        #expect(try await store.find(DocumentQuery(), in: .devices).map { $0.id } == ["a"])
    }

    @Test func `a majority that stands still is told of in seconds, and is back by itself`() async throws {
        let deployment = try MongoDeployment(.replicaSet)
        try deployment.set(electionTimeout: 120_000)
        let store = try await RunningDocumentStore.started(MongoDocumentOptions(deployment.options()), answerMax: .seconds(3))
        try await Self.upsertInTheEnd("a", store)
        let primary = try deployment.primary()
        let others = deployment.nodes.filter { $0 !== primary }
        for node in others { node.signal(SIGSTOP) }
        let began = ContinuousClock.now
        let change = await #expect(throws: StoreError.self) {
            try await store.change(["b", "c"], in: .devices) { _ in ["b", "c"].map { .upsert(Self.device($0), in: .devices) } }
        }
        // The driver alone would wait for a minute.
        #expect(ContinuousClock.now - began < .seconds(20))
        #expect(change?.reason == .unavailable && store.store.unavailableReason != nil, "\(String(describing: change))")
        let next = ContinuousClock.now
        for _ in 0..<20 { _ = await #expect(throws: StoreError.self) { try await store.upsert(Self.device("d"), in: .devices) } }
        #expect(ContinuousClock.now - next < .seconds(5))
        // The primary answers pings all the time.
        try await Task.sleep(for: .seconds(3))
        #expect(store.store.unavailableReason != nil)
        for node in others { node.signal(SIGCONT) }
        try await Self.upsertInTheEnd("d", store)
        #expect(try await store.count([.equals("status", "online")], in: .devices) >= 2)
    }

    @Test func `a primary that stands still is left for the next one, however long its own answers are waited for`() async throws {
        let deployment = try MongoDeployment(.replicaSet)
        // Two of three that wait but a second for each other's word depose each other again and again.
        try deployment.set(electionTimeout: 10_000)
        var options = try MongoDocumentOptions(deployment.options())
        options.server.answerTimeout = 3_600_000
        let store = try await RunningDocumentStore.started(options, answerMax: .seconds(3))
        try await Self.upsertInTheEnd("a", store)
        let primary = try deployment.primary()
        primary.signal(SIGSTOP)
        await #expect(throws: StoreError.self) { try await store.upsert(Self.device("b"), in: .devices) }
        try await Self.upsertInTheEnd("c", store)
        #expect(try deployment.primary() !== primary)
        let found = Set(try await store.find(DocumentQuery(), in: .devices).map { $0.id })
        #expect(found.isSuperset(of: ["a", "c"]), "\(found)")
    }

    /// As a device does that gets no answer: again. A machine that is busy may take longer than the store waits.
    private static func upsertInTheEnd(_ id: String, _ store: RunningDocumentStore) async throws {
        for _ in 0..<30 {
            try await store.waitUntilReady()
            if (try? await store.upsert(device(id), in: .devices)) != nil { return }
        }
        try await store.upsert(device(id), in: .devices)
    }

    @Test func `a primary that is lost under load takes nothing with it that was acknowledged`() async throws {
        let deployment = try MongoDeployment(.replicaSet)
        let store = try await RunningDocumentStore.started(MongoDocumentOptions(deployment.options()))
        let lost = try deployment.primary()
        let acknowledged = Changeable<Set<String>>([])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                group.addTask {
                    var number = 0
                    while !Task.isCancelled {
                        let id = "w\(writer)-\(number)"
                        let changes = ["x", "y"].map { DocumentChange.upsert(Self.device(id + $0), in: .devices) }
                        do {
                            try await store.apply(changes)
                            acknowledged.change { $0.formUnion([id + "x", id + "y"]) }
                            number += 1
                        } catch { try? await Task.sleep(for: .milliseconds(20)) }
                    }
                }
            }
            for _ in 0..<1_500 where acknowledged.value.count < 20 { try await Task.sleep(for: .milliseconds(20)) }
            let before = acknowledged.value.count
            #expect(before >= 20)
            lost.kill()
            // Another is elected, and takes writes.
            for _ in 0..<1_500 where acknowledged.value.count < before + 200 { try await Task.sleep(for: .milliseconds(20)) }
            #expect(acknowledged.value.count >= before + 200, "\(String(describing: store.store.unavailableReason))")
            try lost.start()
            try await Task.sleep(for: .seconds(1))
            group.cancelAll()
        }
        try await store.waitUntilReady()
        let stored = Set(try await store.find(DocumentQuery(), in: .devices).map { $0.id })
        #expect(acknowledged.value.subtracting(stored) == [])
        // Both of a transaction, or none.
        #expect(stored.allSatisfy { stored.contains($0.dropLast() + "x") && stored.contains($0.dropLast() + "y") })
    }
}
