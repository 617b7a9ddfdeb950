import CollectorFixtures
import PostgresDriver
import PostgresFixtures
import Testing
import TimescaleStores

/// What several people edit at once, on a real server.
@Suite(.serialized) struct VersionedTableTests {
    private let scratch = ScratchDirectory()

    private func dashboard() throws -> (PostgresConnection, id: Int64) {
        let connection = try PostgresConnection(try RunningStore.database(.plain, of: scratch))
        _ = try Migrator(connection).migrate()
        let id = try connection.query("INSERT INTO dashboards (name, definition) VALUES ('fleet', '{\"edits\": 0}') RETURNING id").value(Int64.self)
        return (connection, try #require(id))
    }

    @Test func `whoever changes an older version is told which there is, and changes nothing`() throws {
        let (connection, id) = try dashboard()
        let table = VersionedTable.dashboards
        #expect(try table.update(id, from: 1, ["name": .text("mine")], connection) == .changed(version: 2))
        #expect(try table.update(id, from: 1, ["name": .text("yours")], connection) == .outdated(version: 2))
        #expect(try connection.query("SELECT name FROM dashboards").value(String.self) == "mine")
        #expect(try table.update(id + 1, from: 1, ["name": .text("nobody's")], connection) == .gone)
        #expect(throws: PostgresError.self) { try table.update(id, from: 2, ["version": .integer(9)], connection) }
        #expect(throws: PostgresError.self) { try table.update(id, from: 2, [:], connection) }
    }

    @Test func `of many who edit one row at once nobody undoes what another did`() async throws {
        let (connection, id) = try dashboard()
        let options = try RunningStore.database(.plain, of: scratch)
        let (editors, edits) = (6, 30)
        let outdated = Changeable(0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<editors {
                group.addTask {
                    let session = try await PostgresSession.open(options)
                    for _ in 0..<edits {
                        let asked = Changeable(0)
                        let outcome = try await session.run { (connection) throws(PostgresError) in
                            try VersionedTable.dashboards.edit(id, connection) { (row) throws(PostgresError) in
                                asked.change { $0 += 1 }
                                let text = try row.decode(String.self, at: 1)
                                let count = Int(text.filter(\.isNumber)) ?? -1
                                return ["definition": .text("{\"edits\": \(count + 1)}")]
                            }
                        }
                        if case .changed = outcome {} else { Issue.record("\(outcome)") }
                        outdated.change { $0 += asked.value - 1 }
                    }
                    await session.close()
                }
            }
            try await group.waitForAll()
        }
        let row = try connection.query("SELECT (definition->>'edits')::int8, version FROM dashboards")[0]
        #expect(try row.decode(Int64.self, at: 0) == Int64(editors * edits) && row.decode(Int64.self, at: 1) == Int64(editors * edits + 1))
        #expect(outdated.value > 0, "they never met")
    }
}
