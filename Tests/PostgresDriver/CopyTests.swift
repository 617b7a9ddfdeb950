import Foundation
import PostgresDriver
import PostgresFixtures
import Testing

@Suite(.enabled(if: PostgresTier.plain.missing == nil, Comment(rawValue: PostgresTier.plain.missing ?? "")))
struct CopyTests {
    /// Rows of the long test; the environment may raise it.
    private static let manyRows = ProcessInfo.processInfo.environment["FARWATCH_TEST_COPY_ROWS"].flatMap(Int.init) ?? 1_000_000

    private func connect(_ tier: PostgresTier = .plain) throws -> PostgresConnection {
        try PostgresConnection(SharedPostgres.server(tier).makeDatabase())
    }

    @Test(arguments: PostgresTier.available)
    func `rows of every type come out as they were copied in`(_ tier: PostgresTier) throws {
        let connection = try connect(tier)
        try connection.execute(
            """
            CREATE TABLE "odd ""name"(
                b bool, i2 int2, i4 int4, i8 int8, f4 real, f8 float8, "t t" text, raw bytea, at timestamptz NOT NULL, j jsonb)
            """)
        if tier == .apache {
            try connection.execute("CREATE EXTENSION timescaledb; SELECT create_hypertable('\"odd \"\"name\"', by_range('at', INTERVAL '1 day'))")
        }
        let columns = ["b", "i2", "i4", "i8", "f4", "f8", "t t", "raw", "at", "j"]
        let written = try connection.copyIn("odd \"name", columns: columns) { (writer) throws(PostgresError) in
            for row in 0..<1_000 {
                try writer.beginRow()
                writer.boolean(row % 2 == 0)
                writer.integer2(Int16(row))
                writer.integer4(Int32(-row))
                writer.integer(Int64(row) << 40)
                writer.float(0.5)
                if row == 7 { writer.null() } else { writer.double(Double(row) / 3) }
                writer.text("row \(row) \u{1F600}")
                writer.bytes([UInt8(row & 255), 0])
                writer.timestamp(1_700_000_000_000 + Int64(row) * 3_600_000 + 1)
                writer.jsonb(#"{"row": \#(row)}"#)
            }
        }
        #expect(written == 1_000)
        var row = 0
        let read = try connection.copyOut(#"SELECT * FROM "odd ""name" ORDER BY i2"#) { (copied) throws(PostgresError) in
            #expect(try copied.decode(Bool.self, at: 0) == (row % 2 == 0))
            #expect(try copied.decode(Int.self, at: 1) == row)
            #expect(try copied.decode(Int32.self, at: 2) == Int32(-row))
            #expect(try copied.decode(Int64.self, at: 3) == Int64(row) << 40)
            #expect(try copied.decode(Double.self, at: 4) == 0.5)
            #expect(try copied.decodeIfPresent(Double.self, at: 5) == (row == 7 ? nil : Double(row) / 3))
            #expect(try copied.decode(String.self, at: 6) == "row \(row) \u{1F600}")
            #expect(try copied.decode(PostgresBytes.self, at: 7).bytes == [UInt8(row & 255), 0])
            #expect(try copied.decode(PostgresTimestamp.self, at: 8).milliseconds == 1_700_000_000_000 + Int64(row) * 3_600_000 + 1)
            #expect(try copied.decode(String.self, at: 9) == #"{"row": \#(row)}"#)
            row += 1
        }
        #expect(read == 1_000)
    }

    @Test(arguments: PostgresTier.available)
    func `an error of the server's names the row, and nothing is written`(_ tier: PostgresTier) throws {
        let connection = try connect(tier)
        try connection.execute("CREATE TABLE rows_1(id int8, name varchar(5) NOT NULL, at timestamptz NOT NULL, CHECK (id <> 444))")
        if tier == .apache {
            try connection.execute("CREATE EXTENSION timescaledb; SELECT create_hypertable('rows_1', by_range('at', INTERVAL '1 day'))")
        }
        try connection.execute("CREATE UNIQUE INDEX ON rows_1(id, at)")
        // What is wrong, in which row, and what the server says to it.
        let bad: [(row: Int, code: String, write: (CopyWriter) -> Void)] = [
            (
                1, "23502",
                {
                    $0.integer(1); $0.null()
                }
            ),
            (
                500, "22001",
                {
                    $0.integer(500); $0.text("secret")
                }
            ),
            (
                444, "23514",
                {
                    $0.integer(444); $0.text("a")
                }
            ),
            (
                1_000, "08P01",
                {
                    $0.integer4(1_000); $0.text("a")
                }
            ),
            (
                9, "23505",
                {
                    $0.integer(8); $0.text("a")
                }
            ),
        ]
        for bad in bad {
            let error = #expect(throws: PostgresError.self) {
                try connection.copyIn("rows_1", columns: ["id", "name", "at"]) { (writer) throws(PostgresError) in
                    for row in 1...1_000 {
                        try writer.beginRow()
                        if row == bad.row {
                            bad.write(writer)
                        } else {
                            writer.integer(Int64(row == 444 ? 44_444 : row))
                            writer.text("a")
                        }
                        writer.timestamp(1_700_000_000_000)
                    }
                }
            }
            #expect(error?.sqlState == bad.code)
            #expect(error?.copyRow == bad.row, "\(bad.code)")
            #expect(error.map { !$0.description.contains("secret") } == true)
            #expect(try connection.query("SELECT count(*) FROM rows_1").value(Int.self) == 0)
        }
    }

    @Test func `a row with too few or too many values is refused before the server sees it`() throws {
        let connection = try connect()
        try connection.execute("CREATE TABLE pairs(a int8, b int8)")
        for values in [1, 3] {
            let error = #expect(throws: PostgresError.self) {
                try connection.copyIn("pairs", columns: ["a", "b"]) { (writer) throws(PostgresError) in
                    for row in 1...3 {
                        try writer.beginRow()
                        for _ in 0..<(row == 2 ? values : 2) { writer.integer(1) }
                    }
                }
            }
            #expect(error?.reason == .encoding)
            #expect(error?.copyRow == 2)
        }
        #expect(try connection.query("SELECT count(*) FROM pairs").value(Int.self) == 0)
    }

    @Test func `an error of the caller's ends the COPY and comes back as it is`() throws {
        let connection = try connect()
        try connection.execute("CREATE TABLE numbers(a int8)")
        let mine = PostgresError(.tooMuch, operation: "count", detail: "enough")
        let error = #expect(throws: PostgresError.self) {
            try connection.copyIn("numbers", columns: ["a"]) { (writer) throws(PostgresError) in
                for row in 0..<100_000 {
                    try writer.beginRow()
                    writer.integer(Int64(row))
                }
                throw mine
            }
        }
        #expect(error == mine)
        let out = #expect(throws: PostgresError.self) {
            try connection.copyOut("SELECT generate_series(1, 100000000)") { _ throws(PostgresError) in throw mine }
        }
        #expect(out == mine)
        #expect(try connection.query("SELECT count(*) FROM numbers").value(Int.self) == 0)
    }

    @Test func `a COPY that the server refuses leaves the connection as it was`() throws {
        let connection = try connect()
        let error = #expect(throws: PostgresError.self) { try connection.copyIn("nowhere", columns: ["a"]) { _ throws(PostgresError) in } }
        #expect(error?.sqlState == "42P01")
        let out = #expect(throws: PostgresError.self) { try connection.copyOut("SELECT 1/(a-5000) FROM generate_series(1,9000) a") { _ in } }
        #expect(out?.sqlState == "22012")
        #expect(connection.isUsable)
        #expect(try connection.query("SELECT 1").value(Int.self) == 1)
    }

    @Test func `a million rows go in and out in bounded memory`() async throws {
        let keywords = try SharedPostgres.server(.plain).makeDatabase().keywords
        let text = keywords.map { $0 + "='" + $1 + "'" }.joined(separator: " ")
        // In a process of its own: what other tests take at the same time says nothing of the driver.
        await #expect(processExitsWith: .success) { [text = text as String] in
            let connection = try PostgresConnection(PostgresOptions(text))
            try connection.execute("CREATE UNLOGGED TABLE many(id int8, name text, value float8, at timestamptz)")
            let before = try CopyTests.residentBytes()
            try connection.copyIn("many", columns: ["id", "name", "value", "at"]) { (writer) throws(PostgresError) in
                for row in 0..<CopyTests.manyRows {
                    try writer.beginRow()
                    writer.integer(Int64(row))
                    writer.text("device-0001")
                    writer.double(Double(row))
                    writer.timestamp(1_700_000_000_000 + Int64(row))
                }
            }
            var sum = 0
            try connection.copyOut("SELECT id FROM many") { (row) throws(PostgresError) in sum += try row.decode(Int.self, at: 0) }
            #expect(sum == CopyTests.manyRows * (CopyTests.manyRows - 1) / 2)
            // The rows are 60 MB on the way in.
            #expect(try CopyTests.residentBytes() - before < 8 << 20)
        }
    }

    private static func residentBytes() throws -> Int {
        let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")[1]
        return (Int(pages) ?? 0) * 4096
    }
}

@Suite struct CopyParserTests {
    private static let header = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00] + [0, 0, 0, 0] + [0, 0, 0, 0]
    /// Two rows: (1, NULL) and ("", 7).
    private static let rows: [UInt8] = [0, 2, 0, 0, 0, 1, 1, 255, 255, 255, 255] + [0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 7]
    private static let trailer: [UInt8] = [255, 255]

    private static func parse(_ pieces: [[UInt8]]) -> (rows: [[[UInt8]?]], problem: CopyParser.Problem?) {
        var parser = CopyParser()
        var rows: [[[UInt8]?]] = []
        for piece in pieces {
            let problem = piece.withUnsafeBytes { bytes in
                parser.take(bytes) { fields in rows.append(fields.map { $0.map { [UInt8]($0) } }) }
            }
            if let problem { return (rows, problem) }
        }
        return (rows, parser.finish())
    }

    @Test func `rows are the same however the bytes are cut`() {
        let all = Self.header + Self.rows + Self.trailer
        for first in 0...all.count {
            let result = Self.parse([Array(all[..<first]), Array(all[first...])])
            #expect(result.rows == [[[1], nil], [[], [7]]])
            #expect(result.problem == nil)
        }
        #expect(Self.parse(all.map { [$0] }).rows.count == 2)
    }

    @Test func `what ends early is truncated, never taken for whole`() {
        let all = Self.header + Self.rows + Self.trailer
        for count in 0..<all.count { #expect(Self.parse([Array(all[..<count])]).problem == .truncated) }
    }

    @Test func `no byte that is changed makes it trap`() {
        let all = Self.header + Self.rows + Self.trailer
        for position in all.indices {
            for value: UInt8 in [0, 1, 127, 128, 255] {
                var changed = all
                changed[position] = value
                _ = Self.parse([changed])
            }
        }
        #expect(Self.parse([[1] + all]).problem == .notBinaryCopy)
        #expect(Self.parse([all + [0]]).problem != nil)
        #expect(Self.parse([Self.header + [0, 1, 127, 255, 255, 255]]).problem == .rowTooLong)
    }
}
