import CertificateFixtures
import Foundation
import RedisDriver
import RedisFixtures
import ServerFixtures
import Testing

/// Connections by TLS to real servers.
@Suite(.timeLimit(.minutes(5)), .enabled(if: RedisMake.redis.missing == nil, Comment(rawValue: RedisMake.redis.missing ?? "")))
struct RedisTLSTests {
    private let workshop: CertificateWorkshop

    init() throws {
        workshop = try CertificateWorkshop()
        try workshop.issue("authority", isAuthority: true)
        try workshop.issue("stranger", isAuthority: true)
        try workshop.issue("server", by: "authority", alternativeNames: "IP:127.0.0.1,DNS:localhost")
        try workshop.issue("late", by: "authority", alternativeNames: "IP:127.0.0.1", to: "20260101000000Z")
        try workshop.issue("elsewhere", by: "authority", alternativeNames: "DNS:cache.example")
        try workshop.issue("collector", by: "authority")
    }

    /// A server, and how to come in by TLS.
    private func server(
        _ make: RedisMake = .redis, certificate: String = "server", clients: String = "no"
    ) throws -> (server: RedisServer, options: RedisOptions) {
        let port = LoopbackPort.free()
        let server = try RedisServer(
            make,
            settings: [
                "--tls-port", String(port), "--tls-cert-file", workshop.path(certificate + ".pem"), "--tls-key-file",
                workshop.path(certificate + ".key"), "--tls-ca-cert-file", workshop.path("authority.pem"), "--tls-auth-clients", clients,
            ])
        var options = try RedisOptions("rediss://127.0.0.1:\(port)")
        options.tls?.authorityFile = workshop.path("authority.pem")
        options.connectTimeout = .seconds(20)
        options.commandTimeout = .seconds(20)
        return (server, options)
    }

    private func refusal(_ options: RedisOptions) throws -> RedisError {
        try #require(throws: RedisError.self) { _ = try RedisConnection(options).run(RedisCommand("PING")) }
    }

    @Test(arguments: RedisMake.available)
    func `what is said by TLS arrives, however long it is`(_ make: RedisMake) throws {
        let (server, options) = try server(make)
        let connection = try RedisConnection(options)
        let long = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let answers = try connection.pipeline(
            [RedisCommand("SET", [Array("long".utf8), long]), RedisCommand("GET", "long")] + (0..<500).map { RedisCommand("ECHO", String($0)) })
        #expect(answers[1] == .bytes(long) && answers.last == .bytes(Array("499".utf8)))
        #expect(connection.isConnected)
        // The same server without it.
        #expect(try server.run("GET", "long") == .bytes(long))
        var named = options
        named.address = .tcp(host: "localhost", port: Self.port(of: options))
        #expect(try RedisConnection(named).run(RedisCommand("PING")) == .status("PONG"))
    }

    private static func port(of options: RedisOptions) -> Int { if case .tcp(_, let port) = options.address { port } else { 0 } }

    @Test func `each node of a cluster is spoken to by TLS, with one user and one authority`() async throws {
        let cluster = try RedisCluster(
            tls: [
                "--tls-cert-file", workshop.path("server.pem"), "--tls-key-file", workshop.path("server.key"), "--tls-ca-cert-file",
                workshop.path("authority.pem"), "--tls-auth-clients", "no",
            ], users: ["user default on nopass ~* &* +@all", "user collector on >geheim ~* +@all"])
        var options = try RedisOptions("rediss://collector:geheim@127.0.0.1:\(cluster.tlsPorts[0])")
        options.tls?.authorityFile = workshop.path("authority.pem")
        options.connectTimeout = .seconds(20)
        options.commandTimeout = .seconds(20)
        let deployment = RedisDeployment(options)
        try await withThrowingTaskGroup { group in
            group.addTask { await deployment.run() }
            while (try? await deployment.look()) == nil { try await Task.sleep(for: .milliseconds(20)) }
            let commands = (0..<100).map { RedisCommand("SET", String($0), "1") }
            #expect(try await deployment.pipeline(commands).allSatisfy { $0 == .status("OK") })
            #expect(Set(deployment.primaries?.map(\.port) ?? []) == Set(cluster.tlsPorts))
            group.cancelAll()
        }
    }

    @Test func `a server of another authority, of another name, or whose certificate has run out is not spoken to, and it is told why`() throws {
        let (well, options) = try server()
        defer { withExtendedLifetime(well) {} }
        var strange = options
        strange.tls?.authorityFile = workshop.path("stranger.pem")
        var unknown = options
        unknown.tls?.authorityFile = nil
        for options in [strange, unknown] {
            let error = try refusal(options)
            #expect(error.reason == .tls && error.detail.contains("certificate is not taken"), "\(error)")
        }
        for (certificate, words) in [("late", "expired"), ("elsewhere", "IP address mismatch")] {
            let (ill, options) = try server(certificate: certificate)
            let error = try refusal(options)
            #expect(error.reason == .tls && error.detail.contains(words), "\(error)")
            withExtendedLifetime(ill) {}
        }
    }

    @Test func `a server that wants a certificate of its clients gets ours`() throws {
        let (server, options) = try server(clients: "yes")
        defer { withExtendedLifetime(server) {} }
        var known = options
        known.tls?.certificateFile = workshop.path("collector.pem")
        known.tls?.keyFile = workshop.path("collector.key")
        #expect(try RedisConnection(known).run(RedisCommand("PING")) == .status("PONG"))
        #expect(try [.tls, .disconnected].contains(refusal(options).reason))
        var wrong = known
        wrong.tls?.keyFile = workshop.path("server.key")
        #expect(try refusal(wrong).reason == .tls)
    }

    @Test func `what a server says before it hangs up is told`() throws {
        let server = try EndpointServer(workshop, chain: "server.pem", key: "server.key", "deny")
        var options = try RedisOptions("rediss://127.0.0.1:\(server.port)")
        options.tls?.authorityFile = workshop.path("authority.pem")
        options.connectTimeout = .seconds(20)
        let error = try refusal(options)
        #expect(error.code == "DENIED" && error.reason == .authentication, "\(error)")
    }

    @Test func `what speaks no TLS is told apart, and a server that says nothing is given up`() throws {
        let (server, options) = try server()
        var plain = options
        plain.address = .tcp(host: "127.0.0.1", port: server.port)
        plain.connectTimeout = .seconds(5)
        let told = try refusal(plain)
        #expect(told.reason == .tls || [.timedOut, .disconnected].contains(told.reason) && told.detail.contains("TLS"), "\(told)")
        server.pause()
        defer { server.resume() }
        var short = options
        short.connectTimeout = .milliseconds(300)
        #expect(try refusal(short).reason == .timedOut)
    }
}
