import CertificateFixtures
import Foundation
import MongoDriver
import MongoFixtures
import Testing

/// Who comes in, and what is said to whom does not.
@Suite(.enabled(if: MongoProgram.missing == nil, Comment(rawValue: MongoProgram.missing ?? ""))) struct MongoAccessTests {
    private func refusal(_ uri: String) throws -> MongoError {
        var options = try MongoOptions(uri)
        options.selectionTimeout = 1_500
        return try #require(throws: MongoError.self) {
            try MongoSession.run(options) { (client) throws(MongoError) in try client.count([:], in: "things") }
        }
    }

    @Test func `nobody at the address is told as such, and may be there later`() throws {
        let error = try refusal("mongodb://127.0.0.1:1/")
        #expect(error.reason == .unreachable && error.isTransient, "\(error)")
    }

    @Test func `a wrong password is told as such, and is not told`() throws {
        let node = try MongoNode(["--auth"])
        try MongoSession.run(MongoOptions("mongodb://" + node.address)) { (client) throws(MongoError) in
            try client.command(["createUser": "agent", "pwd": "open sesame", "roles": ["root"]], on: "admin")
        }
        var options = try MongoOptions("mongodb://agent@" + node.address + "/farwatch?authSource=admin")
        try options.set(password: "open sesame")
        #expect(try MongoSession.run(options) { (client) throws(MongoError) in try client.server() }.kind == .single)
        let wrong = try refusal("mongodb://agent:geheim@" + node.address + "/?authSource=admin")
        #expect(wrong.reason == .authentication && !wrong.isTransient && !wrong.description.contains("geheim"), "\(wrong)")
        let nobody = try refusal("mongodb://" + node.address)
        #expect(nobody.reason == .permission || nobody.reason == .authentication, "\(nobody)")
    }

    @Test func `a server's certificate is checked, and a client's is a way to come in`() throws {
        let workshop = try CertificateWorkshop()
        try workshop.issue("authority", key: .p256, isAuthority: true)
        try workshop.issue("server", by: "authority", alternativeNames: "IP:127.0.0.1,DNS:localhost")
        try workshop.issue("agent", by: "authority")
        try workshop.issue("stranger", key: .p256, isAuthority: true)
        for name in ["server", "agent"] { try workshop.join([name + ".pem", name + ".key"], as: name + "-both.pem") }
        func tls(_ name: String) throws -> MongoNode {
            try MongoNode([
                "--tlsMode", "requireTLS", "--tlsCertificateKeyFile", workshop.path(name + "-both.pem"), "--tlsCAFile",
                workshop.path("authority.pem"),
            ])
        }
        let node = try tls("server")
        func uri(_ node: MongoNode, _ authority: String) -> String {
            "mongodb://" + node.address + "/?tls=true&tlsCAFile=" + workshop.path(authority + ".pem") + "&tlsCertificateKeyFile="
                + workshop.path("agent-both.pem")
        }
        #expect(try MongoSession.run(MongoOptions(uri(node, "authority"))) { (client) throws(MongoError) in try client.server() }.kind == .single)
        let stranger = try refusal(uri(node, "stranger"))
        #expect(stranger.reason == .tls && !stranger.isTransient, "\(stranger)")
        let plain = try refusal("mongodb://" + node.address)
        #expect(plain.reason == .unreachable, "\(plain)")
    }

    @Test func `a certificate's subject is a user's name, and comes in without a password`() throws {
        let workshop = try CertificateWorkshop()
        try workshop.issue("authority", key: .p256, isAuthority: true)
        try workshop.issue("server", by: "authority", alternativeNames: "IP:127.0.0.1,DNS:localhost")
        for name in ["collector", "nobody"] { try workshop.issue(name, by: "authority") }
        for name in ["server", "collector", "nobody"] { try workshop.join([name + ".pem", name + ".key"], as: name + "-both.pem") }
        let node = try MongoNode([
            "--auth", "--tlsMode", "requireTLS", "--tlsCertificateKeyFile", workshop.path("server-both.pem"), "--tlsCAFile",
            workshop.path("authority.pem"),
        ])
        func uri(_ name: String, _ more: String) -> String {
            "mongodb://" + node.address + "/farwatch?tls=true&tlsCAFile=" + workshop.path("authority.pem") + "&tlsCertificateKeyFile="
                + workshop.path(name + "-both.pem") + more
        }
        let login = "&authMechanism=MONGODB-X509&authSource=$external"
        // Who is on the server's machine may make the first user, in `admin` alone.
        try MongoSession.run(MongoOptions(uri("collector", ""))) { (client) throws(MongoError) in
            try client.command(["createUser": "root", "pwd": "geheim", "roles": ["root"]], on: "admin")
        }
        let root = uri("collector", "&authSource=admin").replacing("mongodb://", with: "mongodb://root:geheim@", maxReplacements: 1)
        try MongoSession.run(MongoOptions(root)) { (client) throws(MongoError) in
            let roles: BSONValue = [["role": "readWrite", "db": "farwatch"], ["role": "dbAdmin", "db": "farwatch"]]
            try client.command(["createUser": "CN=collector", "roles": roles], on: "$external")
        }
        let written = try MongoSession.run(MongoOptions(uri("collector", login))) { (client) throws(MongoError) in
            try client.write([.insert(["_id": "a"])], in: "things").inserted
        }
        #expect(written == 1)
        let stranger = try refusal(uri("nobody", login))
        #expect(stranger.reason == .authentication, "\(stranger)")
        let silent = try refusal(uri("collector", ""))
        #expect(silent.reason == .permission || silent.reason == .authentication, "\(silent)")
    }

    @Test func `a server's certificate that has run out is told as such`() async throws {
        let workshop = try CertificateWorkshop()
        try workshop.issue("authority", key: .p256, isAuthority: true)
        let (node, end) = try nodeWithCertificate(workshop)
        let uri = "mongodb://" + node.address + "/?tls=true&tlsCAFile=" + workshop.path("authority.pem")
        try await Task.sleep(for: .seconds(max(0, end.timeIntervalSinceNow + 1.5)))
        let expired = try refusal(uri)
        #expect(expired.reason == .tls && expired.detail.contains("expired"), "\(expired)")
    }

    /// A server whose certificate runs out soon. It does not start with one that has already, which takes longer on a busy machine.
    private func nodeWithCertificate(_ workshop: CertificateWorkshop) throws -> (node: MongoNode, end: Date) {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "UTC")
        format.dateFormat = "yyyyMMddHHmmss'Z'"
        var seconds = 15.0
        while true {
            let end = Date().addingTimeInterval(seconds)
            try workshop.issue("server", by: "authority", alternativeNames: "IP:127.0.0.1", to: format.string(from: end))
            try workshop.join(["server.pem", "server.key"], as: "both.pem")
            let options = [
                "--tlsMode", "requireTLS", "--tlsCertificateKeyFile", workshop.path("both.pem"), "--tlsCAFile", workshop.path("authority.pem"),
                "--tlsAllowConnectionsWithoutCertificates",
            ]
            do { return (try MongoNode(options), end) } catch { guard seconds < 240 else { throw error } }
            seconds *= 2
        }
    }

    @Test func `a server that is killed is unreachable, and back without a word from us`() async throws {
        let node = try MongoNode()
        var options = try MongoOptions("mongodb://" + node.address)
        options.selectionTimeout = 500
        let pool = try MongoPool(options)
        try await pool.run { (client) throws(MongoError) in try client.write([.insert(["_id": 1])], in: "things") }
        node.kill()
        let error = await #expect(throws: MongoError.self) {
            try await pool.run { (client) throws(MongoError) in try client.write([.insert(["_id": 2])], in: "things") }
        }
        #expect(error?.isTransient == true, "\(String(describing: error))")
        try node.start()
        var count: Int?
        for _ in 0..<100 where count == nil { count = try? await pool.run { (client) throws(MongoError) in try client.count([:], in: "things") } }
        // Forced to the disk before it was acknowledged.
        #expect(count == 1)
    }

    @Test func `a server that does not answer is given up in time`() async throws {
        let node = try MongoNode()
        var options = try MongoOptions("mongodb://" + node.address + "/?socketTimeoutMS=300")
        options.selectionTimeout = 1_000
        let pool = try MongoPool(options)
        try await pool.run { (client) throws(MongoError) in try client.ping() }
        node.signal(SIGSTOP)
        defer { node.signal(SIGCONT) }
        let error = await #expect(throws: MongoError.self) { try await pool.run { (client) throws(MongoError) in try client.ping() } }
        #expect(error?.isTransient == true, "\(String(describing: error))")
    }
}
