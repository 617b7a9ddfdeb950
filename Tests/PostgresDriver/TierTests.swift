import PostgresDriver
import PostgresFixtures
import Testing

@Suite struct TierTests {
    /// What the other suites leave out silently when a kind of server is missing is told here, as a skip with the reason.
    @Test(.enabled(if: PostgresTier.apache.missing == nil, Comment(rawValue: PostgresTier.apache.missing ?? "")))
    func `TimescaleDB's Apache edition is there, and says that it is`() throws {
        let connection = try PostgresConnection(SharedPostgres.server(.apache).makeDatabase())
        // Only the loader is there before it; the edition's own settings come with the extension.
        #expect(try connection.query("SELECT current_setting('timescaledb.max_background_workers', true)").value(String.self) != nil)
        try connection.execute("CREATE EXTENSION timescaledb")
        #expect(try connection.query("SELECT current_setting('timescaledb.license')").value(String.self) == "apache")
    }

    @Test(.enabled(if: PostgresTier.community.missing == nil, Comment(rawValue: PostgresTier.community.missing ?? "")))
    func `TimescaleDB under its own licence is there, and says that it is`() throws {
        let connection = try PostgresConnection(SharedPostgres.server(.community).makeDatabase())
        try connection.execute("CREATE EXTENSION timescaledb")
        #expect(try connection.query("SELECT current_setting('timescaledb.license')").value(String.self) == "timescale")
    }

    @Test(.enabled(if: PostgresTier.plain.missing == nil, Comment(rawValue: PostgresTier.plain.missing ?? "")))
    func `plain PostgreSQL is there, without TimescaleDB`() throws {
        let connection = try SharedPostgres.server(.plain).connect()
        #expect(try connection.query("SELECT current_setting('timescaledb.license', true)").value(String.self) == nil)
    }
}
