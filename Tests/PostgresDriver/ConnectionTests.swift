import Foundation
import PostgresDriver
import PostgresFixtures
import Synchronization
import Testing

@Suite(.enabled(if: PostgresTier.plain.missing == nil, Comment(rawValue: PostgresTier.plain.missing ?? "")))
struct ConnectionTests {
    private func connect(_ tier: PostgresTier = .plain) throws -> PostgresConnection {
        try PostgresConnection(SharedPostgres.server(tier).makeDatabase())
    }

    @Test(arguments: PostgresTier.available)
    func `every type comes back as it went in`(_ tier: PostgresTier) throws {
        let connection = try connect(tier)
        let rows = try connection.query(
            "SELECT $1::bool, $2::int2, $3::int4, $4::int8, $5::float4, $6::float8, $7::text, $8::bytea, $9::timestamptz, $10::jsonb, $11::varchar",
            [
                .boolean(true), .integer(-2), .integer(2_147_483_647), .integer(.min), .double(0.5), .double(-0.1), .text("naïve \u{1F600}"),
                .bytes([0, 255, 1]), .timestamp(-1), .text(#"{"a": 1}"#), .text(""),
            ])
        let row = rows[0]
        #expect(try row.decode(Bool.self, at: 0))
        #expect(try row.decode(Int.self, at: 1) == -2)
        #expect(try row.decode(Int32.self, at: 2) == .max)
        #expect(try row.decode(Int64.self, at: 3) == .min)
        #expect(try row.decode(Double.self, at: 4) == 0.5)
        #expect(try row.decode(Double.self, at: 5) == -0.1)
        #expect(try row.decode(String.self, at: 6) == "naïve \u{1F600}")
        #expect(try row.decode(PostgresBytes.self, at: 7).bytes == [0, 255, 1])
        #expect(try row.decode(PostgresTimestamp.self, at: 8).milliseconds == -1)
        #expect(try row.decode(String.self, at: 9) == #"{"a": 1}"#)
        #expect(try row.decode(String.self, at: 10) == "")
    }

    @Test func `arrays and ranges come back as they went in, nulls too`() throws {
        let rows = try connect().query(
            "SELECT $1::int8[], $2::float8[], $3::text[], $4::timestamptz[], $5::int8[], $6::int8multirange, $7::text[]",
            [
                .integers([1, -1, .max]), .doubles([0.5, .infinity]), .texts(["a", "", "b,\"c\""]), .timestamps([0]), .array([.integer(1), .null]),
                .ranges([1...1, 5...9]), .array([]),
            ])
        #expect(try rows[0].decode([Int64].self, at: 0) == [1, -1, .max])
        #expect(try rows[0].decode([Double].self, at: 1) == [0.5, .infinity])
        #expect(try rows[0].decode([String].self, at: 2) == ["a", "", "b,\"c\""])
        #expect(try rows[0].decode([PostgresTimestamp].self, at: 3).map(\.milliseconds) == [0])
        #expect(try rows[0].decode(PostgresOptionalArray<Int64>.self, at: 4).elements == [1, nil])
        #expect(throws: PostgresError.self) { try rows[0].decode([Int64].self, at: 4) }
        #expect(try rows[0].decode(PostgresRanges.self, at: 5).ranges == [1...1, 5...9])
        #expect(try rows[0].decode([String].self, at: 6).isEmpty)
    }

    @Test(
        arguments: [
            ("0", 0, 0), ("1", 1, 1), ("-10000", -10_000, -10_000), ("9223372036854775807", .max, 9.223372036854776e18),
            ("-9223372036854775808", .min, -9.223372036854776e18), ("100000000", 100_000_000, 1e8), ("1.00", 1, 1),
        ] as [(String, Int64, Double)])
    func `whole numerics are read exactly`(_ text: String, _ integer: Int64, _ double: Double) throws {
        let rows = try connect().query("SELECT $1::text::numeric", [.text(text)])
        #expect(try rows.value(Int64.self) == integer)
        #expect(try rows.value(Double.self) == double)
    }

    @Test(arguments: ["0.1", "-0.0001", "123456789.987654321", "1e-30", "1e40", "99999999.99999999"])
    func `other numerics are rounded to the nearest double`(_ text: String) throws {
        let rows = try connect().query("SELECT $1::text::numeric", [.text(text)])
        #expect(try rows.value(Double.self) == Double(text))
        #expect(throws: PostgresError.self) { try rows.value(Int64.self) }
    }

    @Test func `NULL is a value of its own`() throws {
        let rows = try connect().query("SELECT $1::int8, 1 AS \"One\"", [.null])
        #expect(try rows[0].decodeIfPresent(Int64.self, at: 0) == nil)
        let error = #expect(throws: PostgresError.self) { try rows[0].decode(Int64.self, at: 0) }
        #expect(error?.reason == .decoding)
        #expect(try rows[0].decode(Int.self, named: "One") == 1)
        #expect(throws: PostgresError.self) { try rows[0].decode(Int.self, named: "two") }
    }

    @Test(arguments: [
        (PostgresValue.integer(40_000), "int2"), (.integer(1 << 40), "int4"), (.text("1"), "int8"), (.double(1), "int8"), (.integer(1), "text"),
        (.boolean(true), "int4"), (.timestamp(.max), "timestamptz"), (.ranges([1 ... .max]), "int8multirange"), (.integer(1 << 53 + 1), "float8"),
    ])
    func `a value that does not fit its parameter is refused here, and the connection is as good as before`(
        _ value: PostgresValue, _ type: String
    ) throws {
        let connection = try connect()
        let error = #expect(throws: PostgresError.self) { try connection.query("SELECT $1::\(type)", [value]) }
        #expect(error?.reason == .encoding)
        #expect(try connection.query("SELECT 1").value(Int.self) == 1)
    }

    @Test func `errors keep the server's code and words, and tell no value`() throws {
        let connection = try connect()
        try connection.execute("CREATE TABLE devices(id int8 PRIMARY KEY, name varchar(5))")
        try connection.run("INSERT INTO devices VALUES ($1, $2)", [.integer(4711), .text("a")])
        let duplicate = #expect(throws: PostgresError.self) {
            try connection.run("INSERT INTO devices VALUES ($1, $2)", [.integer(4711), .text("hush")])
        }
        #expect(duplicate?.sqlState == "23505")
        #expect(duplicate?.isDuplicateKey == true)
        #expect(duplicate?.constraint == "devices_pkey")
        let cast = #expect(throws: PostgresError.self) { try connection.query("SELECT $1::text::int8", [.text("hush")]) }
        #expect(cast?.reason == .data)
        let missing = #expect(throws: PostgresError.self) { try connection.query("SELECT * FROM nowhere") }
        #expect(missing?.reason == .statement)
        for error in [duplicate, cast, missing] {
            let text = String(describing: try #require(error))
            #expect(!text.contains("4711") && !text.contains("hush"), Comment(rawValue: text))
        }
        let password = #expect(throws: PostgresError.self) { try connection.execute("ALTER ROLE nobody_here PASSWORD 'hush'") }
        #expect(!String(describing: try #require(password)).contains("hush"))
        #expect(try connection.query("SELECT count(*) FROM devices").value(Int.self) == 1)
    }

    @Test func `rows come one by one without growing memory, and can be left off`() throws {
        let connection = try connect()
        var sum = 0
        try connection.forEachRow("SELECT generate_series(1, $1::int4)", [.integer(10_000)]) { (row) throws(PostgresError) in
            sum += try row.decode(Int.self, at: 0)
        }
        #expect(sum == 50_005_000)
        let enough = PostgresError(.tooMuch, operation: "look", detail: "enough")
        let error = #expect(throws: PostgresError.self) {
            try connection.forEachRow("SELECT generate_series(1, 100000000)") { _ throws(PostgresError) in throw enough }
        }
        #expect(error == enough)
        for _ in 0..<20 { #expect(try connection.query("SELECT 1").value(Int.self) == 1) }
    }

    @Test func `a pipeline is all or nothing, and its error names the command`() throws {
        let connection = try connect()
        try connection.execute("CREATE TABLE numbers(n int4 PRIMARY KEY)")
        let insert = "INSERT INTO numbers VALUES ($1) RETURNING n"
        let rows = try connection.pipeline((1...100).map { PostgresCommand(insert, [.integer($0)]) })
        #expect(try rows.map { (rows) throws(PostgresError) in try rows[0].decode(Int.self, at: 0) } == Array(1...100))
        let refused = #expect(throws: PostgresError.self) {
            try connection.pipeline([101, 102, 7, 103].map { PostgresCommand(insert, [.integer($0)]) })
        }
        #expect(refused?.isDuplicateKey == true)
        #expect(refused?.operation.contains("command 3") == true)
        let unfit = #expect(throws: PostgresError.self) { try connection.pipeline([.init(insert, [.integer(104)]), .init(insert, [.text("x")])]) }
        #expect(unfit?.reason == .encoding)
        #expect(try connection.query("SELECT count(*) FROM numbers").value(Int.self) == 100)
    }

    @Test func `a prepared statement survives a change of its table and the server's forgetting`() throws {
        let connection = try connect()
        try connection.execute("CREATE TABLE changing(a int4); INSERT INTO changing VALUES (1)")
        #expect(try connection.query("SELECT * FROM changing").columns == ["a"])
        try connection.execute("ALTER TABLE changing ADD b text")
        #expect(try connection.query("SELECT * FROM changing").columns == ["a", "b"])
        try connection.execute("DISCARD ALL")
        #expect(try connection.query("SELECT * FROM changing").count == 1)
    }

    @Test func `the statements that a connection keeps prepared are bounded`() throws {
        let connection = try connect()
        for number in 0..<600 { #expect(try connection.query("SELECT \(number)").value(Int.self) == number) }
        let kept = try #require(try connection.query("SELECT count(*) FROM pg_prepared_statements").value(Int.self))
        #expect(kept <= 256)
        #expect(try connection.query("SELECT 0").value(Int.self) == 0)
    }

    @Test func `sessions get their time-outs, their name and UTC`() throws {
        var options = try SharedPostgres.server().options(database: "postgres", "options='-c work_mem=5MB'")
        options.statementTimeout = .seconds(7)
        let connection = try PostgresConnection(options)
        let shown = try ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "application_name", "TimeZone", "work_mem"]
            .map { try #require(try connection.query("SELECT current_setting($1)", [.text($0)]).value(String.self)) }
        #expect(shown == ["7s", "5s", "1min", "farwatch", "UTC", "5MB"])
        #expect(connection.serverVersion >= 140_000)
    }

    @Test func `notices reach their receiver`() throws {
        let received = Mutex<[PostgresNotice]>([])
        var options = try SharedPostgres.server().options()
        options.onNotice = { notice in received.withLock { $0.append(notice) } }
        let connection = try PostgresConnection(options)
        try connection.execute("DO $$ BEGIN RAISE WARNING 'mind the gap'; END $$")
        #expect(received.withLock { $0 }.map(\.message) == ["mind the gap"])
        #expect(received.withLock { $0 }.map(\.severity) == ["WARNING"])
    }

    @Test func `a COPY where none belongs is refused without hanging`() throws {
        let connection = try connect()
        let error = #expect(throws: PostgresError.self) { try connection.execute("COPY pg_class TO STDOUT") }
        #expect(error?.reason == .statement)
        #expect(!connection.isUsable)
    }
}
