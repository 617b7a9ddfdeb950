import MongoDriver
import MongoFixtures
import Testing

/// What happens to documents, as change streams tell it.
@Suite(.enabled(if: MongoProgram.missing == nil, Comment(rawValue: MongoProgram.missing ?? ""))) struct MongoWatcherTests {
    /// All that is told until there is as much, in the order it came.
    private func changes(_ watcher: MongoWatcher, _ count: Int, max: Int = 1_000) async throws -> [MongoChange] {
        var told: [MongoChange] = []
        for _ in 0..<400 where told.count < count {
            do throws(MongoError) { told += try await watcher.next(max: max) } catch {
                guard error.isTransient else { throw error }
                try await Task.sleep(for: .milliseconds(250))
            }
        }
        return told
    }

    private func write(_ options: MongoOptions, _ writes: [MongoWrite], in collection: String = "things") throws {
        try MongoSession.run(options) { (client) throws(MongoError) in try client.write(writes, in: collection) }
    }

    @Test func `what is written and deleted is told in order, with the fields that were asked for, and of no other collection`() async throws {
        let options = try SharedMongo.deployment(.replicaSet).options()
        let watcher = try MongoWatcher(options, MongoWatch(["things"], fields: ["n"]))
        #expect(try await watcher.next(max: 10) == [])
        try write(options, [.insert(["_id": "x"])], in: "others")
        try write(
            options,
            [
                .insert(["_id": "a", "n": 1, "secret": "s"]), .replace(filter: ["_id": "a"], ["_id": "a", "n": 2]),
                .update(filter: ["_id": "a"], ["$set": ["n": 3, "m": 4]], upsert: false), .deleteOne(filter: ["_id": "a"]),
            ])
        let expected: [MongoChange] = [
            .written(id: "a", in: "things", fields: ["n": 1]), .written(id: "a", in: "things", fields: ["n": 2]),
            .written(id: "a", in: "things", fields: ["n": 3]), .deleted(id: "a", in: "things"),
        ]
        #expect(try await changes(watcher, 4) == expected)
        try MongoSession.run(options) { (client) throws(MongoError) in try client.command(["drop": "things"], .write) }
        #expect(try await changes(watcher, 1) == [.dropped])
    }

    @Test func `a call takes no more than its bound, and the rest comes with the next ones`() async throws {
        let options = try SharedMongo.deployment(.replicaSet).options()
        let watcher = try MongoWatcher(options, MongoWatch(["things"]))
        #expect(try await watcher.next(max: 10) == [])
        try write(options, (0..<25).map { .insert(["_id": .int32($0)]) })
        var sizes: [Int] = []
        for _ in 0..<400 where sizes.reduce(0, +) < 25 { sizes.append(try await watcher.next(max: 10).count) }
        #expect(sizes.max() == 10 && sizes.reduce(0, +) == 25, "\(sizes)")
    }

    @Test func `a stream that was closed goes on where it was`() async throws {
        let options = try SharedMongo.deployment(.replicaSet).options()
        let watcher = try MongoWatcher(options, MongoWatch(["things"]))
        try write(options, [.insert(["_id": "before"])])
        #expect(try await watcher.next(max: 10) == [])
        await watcher.close()
        try write(options, [.insert(["_id": "meanwhile"])])
        #expect(try await changes(watcher, 1) == [.written(id: "meanwhile", in: "things", fields: [:])])
    }

    @Test func `through the loss of a primary nothing is missed and nothing told twice`() async throws {
        let deployment = try MongoDeployment(.replicaSet)
        let options = try deployment.options()
        let watcher = try MongoWatcher(options, MongoWatch(["things"]))
        #expect(try await watcher.next(max: 10) == [])
        try write(options, [.insert(["_id": "a"])])
        try deployment.primary().kill()
        // Retried by libmongoc once another is elected.
        var isWritten = false
        for _ in 0..<100 where !isWritten { isWritten = (try? write(options, [.replace(filter: ["_id": "b"], ["_id": "b"])])) != nil }
        #expect(isWritten)
        let expected = ["a", "b"].map { MongoChange.written(id: .string($0), in: "things", fields: [:]) }
        #expect(try await changes(watcher, 2) == expected)
    }

    @Test func `a single server says that it has none`() async throws {
        let watcher = try MongoWatcher(SharedMongo.deployment(.single).options(), MongoWatch(["things"]))
        let error = await #expect(throws: MongoError.self) { try await watcher.next(max: 10) }
        #expect(error?.isTransient == false && error?.isHistoryLost == false, "\(String(describing: error))")
    }

    @Test func `what the server has forgotten is told as lost`() {
        let lost = MongoError(.failed, operation: "watch changes", code: 286, detail: "")
        #expect(lost.isHistoryLost && !MongoError(.failed, operation: "watch changes", code: 1, detail: "").isHistoryLost)
    }
}
