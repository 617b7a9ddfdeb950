import CertificateFixtures
import Foundation
import PostgresDriver
import PostgresFixtures
import Testing

@Suite(.enabled(if: PostgresTier.plain.missing == nil, Comment(rawValue: PostgresTier.plain.missing ?? "")))
struct AccessTests {
    /// A server with passwords and TLS; `postgres` comes in without.
    private final class Guarded: Sendable {
        let workshop: CertificateWorkshop
        let server: PostgresServer

        init(certificateOf name: String = "server", to notAfter: String = "20450101000000Z") throws {
            let workshop = try CertificateWorkshop()
            try workshop.issue("authority", key: .p256, isAuthority: true)
            try workshop.issue(
                name, by: "authority", alternativeNames: name == "other" ? "DNS:other.example" : "IP:127.0.0.1,DNS:localhost", to: notAfter)
            self.workshop = workshop
            server = try PostgresServer(
                settings: ["ssl=on", "ssl_cert_file=server.pem", "ssl_key_file=server.key"].map { Self.absolute($0) },
                access: ["host all postgres 127.0.0.1/32 trust", "hostssl all all 127.0.0.1/32 scram-sha-256"],
                prepare: { directory in
                    for part in ["pem", "key"] {
                        try FileManager.default.copyItem(atPath: workshop.path(name + "." + part), toPath: directory + "/server." + part)
                    }
                    chmod(directory + "/server.key", 0o600)
                })
            try server.connect().execute("CREATE ROLE agent LOGIN PASSWORD 'open sesame'")
        }

        /// The server works in its data folder, which lies beside the files.
        private static func absolute(_ setting: String) -> String { setting.replacing("=server.", with: "=../server.") }

        func options(_ more: String) throws -> PostgresOptions { try server.options(user: "agent", more) }
        var authority: String { "sslrootcert=" + workshop.path("authority.pem") }
    }

    private static let password = "password='open sesame' "

    private func refusal(_ options: PostgresOptions) throws -> PostgresError {
        try #require(throws: PostgresError.self) { try PostgresConnection(options) }
    }

    @Test func `passwords come from the options or from a file, and a wrong one is refused by name`() throws {
        let guarded = try Guarded()
        #expect(try PostgresConnection(guarded.options(Self.password)).usesTLS)
        let wrong = try refusal(guarded.options("password=hush"))
        #expect(wrong.reason == .authentication && wrong.sqlState == "28P01")
        #expect(!wrong.isTransient && !wrong.description.contains("hush"))
        let file = guarded.workshop.path("passwords")
        try "127.0.0.1:\(guarded.server.port):*:agent:open sesame\n".write(toFile: file, atomically: true, encoding: .utf8)
        chmod(file, 0o600)
        var fromFile = try guarded.options("")
        fromFile.set(passwordFile: file)
        #expect(try PostgresConnection(fromFile).isUsable)
        var none = try guarded.options("")
        none.set(passwordFile: "/nonexistent")
        #expect(try refusal(none).reason == .authentication)
        let noDatabase = try refusal(guarded.server.options(database: "nowhere"))
        #expect(noDatabase.reason == .configuration && noDatabase.sqlState == "3D000")
    }

    @Test func `certificates are verified as the mode says`() throws {
        let guarded = try Guarded()
        #expect(try PostgresConnection(guarded.options(Self.password + "sslmode=verify-full " + guarded.authority)).usesTLS)
        // The server lets nobody but postgres in without TLS.
        #expect(try refusal(guarded.options(Self.password + "sslmode=disable")).reason == .authentication)
        try guarded.workshop.issue("stranger", isAuthority: true)
        let stranger = "sslmode=verify-ca sslrootcert=" + guarded.workshop.path("stranger.pem")
        #expect(try refusal(guarded.options(Self.password + stranger)).reason == .tls)
    }

    @Test func `a certificate that has expired is refused`() throws {
        let guarded = try Guarded(to: "20260101000000Z")
        let error = try refusal(guarded.options(Self.password + "sslmode=verify-ca " + guarded.authority))
        #expect(error.reason == .tls)
        #expect(try PostgresConnection(guarded.options(Self.password + "sslmode=require")).usesTLS)
    }

    @Test func `a certificate for another host is refused only where the host is verified`() throws {
        let guarded = try Guarded(certificateOf: "other")
        #expect(try refusal(guarded.options(Self.password + "sslmode=verify-full " + guarded.authority)).reason == .tls)
        #expect(try PostgresConnection(guarded.options(Self.password + "sslmode=verify-ca " + guarded.authority)).usesTLS)
    }

    @Test func `much comes through TLS whole`() throws {
        let guarded = try Guarded()
        let connection = try PostgresConnection(guarded.options(Self.password + "sslmode=require"))
        for bytes in [1, 8_191, 16_384, 16_385, 100_000, 5_000_000] {
            #expect(try connection.query("SELECT repeat('x', $1)", [.integer(Int64(bytes))]).value(String.self)?.utf8.count == bytes)
        }
        try connection.execute("CREATE TEMPORARY TABLE many(id int8)")
        try connection.copyIn("many", columns: ["id"]) { (writer) throws(PostgresError) in
            for row in 0..<200_000 {
                try writer.beginRow()
                writer.integer(Int64(row))
            }
        }
        var sum = 0
        try connection.copyOut("SELECT id FROM many") { (row) throws(PostgresError) in sum += try row.decode(Int.self, at: 0) }
        #expect(sum == 200_000 * 199_999 / 2)
    }

    @Test func `of several servers the one that can be written is taken`() throws {
        let readOnly = try PostgresServer(.plain, settings: ["default_transaction_read_only=on"])
        let server = try SharedPostgres.server(.plain)
        let hosts = "postgres://postgres@127.0.0.1:\(readOnly.port),127.0.0.1:\(server.port)/postgres"
        func port(_ text: String) throws -> Int? {
            try PostgresConnection(PostgresOptions(text)).query("SHOW port").value(String.self).flatMap(Int.init)
        }
        #expect(try port(hosts) == server.port)
        #expect(try port(hosts + "?target_session_attrs=any") == readOnly.port)
    }

    @Test func `addresses are tried in turn until one takes us`() throws {
        let server = try SharedPostgres.server()
        let text = "postgres://postgres@127.0.0.1:1,127.0.0.1:\(server.port)/postgres?connect_timeout=3"
        #expect(try PostgresConnection(PostgresOptions(text)).isUsable)
        let primary = text + "&target_session_attrs=read-write"
        #expect(try PostgresConnection(PostgresOptions(primary)).isUsable)
        let standby = text + "&target_session_attrs=prefer-standby"
        #expect(try PostgresConnection(PostgresOptions(standby)).isUsable)
        let none = try refusal(PostgresOptions("host=127.0.0.1,127.0.0.1 port=1,2 dbname=a user=b"))
        #expect(none.reason == .unreachable && none.isTransient)
        try server.connect().execute("CREATE ROLE reader LOGIN; ALTER ROLE reader SET default_transaction_read_only = on")
        let reader = try refusal(server.options(user: "reader", "target_session_attrs=read-write"))
        #expect(reader.reason == .readOnly)
    }

    @Test func `a server that has enough connections says so`() throws {
        let server = try PostgresServer(settings: ["max_connections=5", "superuser_reserved_connections=0", "max_wal_senders=0"])
        let held = try (0..<5).map { _ in try server.connect() }
        #expect(try refusal(server.options()).reason == .tooManyConnections)
        #expect(held.filter(\.isUsable).count == 5)
    }

    @Test func `an address where nobody answers is given up in time`() throws {
        // A socket that listens and never accepts: the connection is made, and nothing comes.
        let silent = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(silent) }
        listen(silent, 1)
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(silent, $0, &length) } }
        var options = try PostgresOptions("host=127.0.0.1 port=\(UInt16(bigEndian: address.sin_port)) user=a dbname=b sslmode=disable")
        options.connectTimeout = .milliseconds(200)
        let error = try refusal(options)
        #expect(error.reason == .unreachable)
        #expect(error.detail.contains("200 ms"))
    }

    @Test(arguments: [
        ("postgres://u@h/d?hush=1", "behind its ?"), ("hush=1 host=a", "a keyword"), ("postgres://u:hu%zzsh@h/d", "%25"),
    ])
    func `what libpq does not understand is told by its kind`(text: String, expected: String) {
        #expect(throws: PostgresError.self) { try PostgresOptions(text) }
        do { _ = try PostgresOptions(text) } catch { #expect(error.detail.contains(expected) && !error.detail.contains("hu")) }
    }

    @Test(arguments: ["host", "postgres://a b c%zz", "host='hush", "hush=1 host=a", "postgres://u:hu%zzsh@h/d"])
    func `a connection string that makes no sense is refused without being quoted`(_ text: String) {
        let error = #expect(throws: PostgresError.self) { try PostgresOptions(text) }
        #expect(error?.reason == .configuration)
        #expect(error.map { !$0.description.contains("hu") } == true)
    }

    @Test func `options describe themselves without user and password`() throws {
        let options = try PostgresOptions("postgres://somebody:hush@db.example:6543/fleet")
        #expect(options.description == "db.example:6543/fleet")
        #expect(try PostgresOptions("postgres://somebody:hush@one:6543,two:6544/fleet").description == "one:6543,two:6544/fleet")
        #expect(try PostgresOptions("host=one,two port=6543 dbname=fleet").description == "one:6543,two:6543/fleet")
    }
}
