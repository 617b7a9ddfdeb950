import Glibc
import RedisDriver
import ServerFixtures
import Testing

/// What answers is not Redis, or means harm.
@Suite(.timeLimit(.minutes(5))) struct HostileServerTests {
    private func connect(_ server: AnsweringServer) throws(RedisError) -> RedisConnection {
        var options = RedisOptions(.tcp(host: "127.0.0.1", port: server.port))
        options.connectTimeout = .seconds(20)
        options.commandTimeout = .seconds(20)
        return try RedisConnection(options)
    }

    @Test(arguments: [
        ("HTTP/1.1 400 Bad Request\r\n\r\n", RedisErrorReason.protocolError), ("", .disconnected), ("+PO", .disconnected),
        // Each asks for more memory than it is worth.
        ("*1000000000\r\n", .tooMuch), ("*1000000\r\n*1000000\r\n*1000000\r\n", .tooMuch), ("*2147483648\r\n", .protocolError),
        (String(repeating: "*1\r\n", count: 100), .protocolError), ("$-7\r\n", .protocolError), ("$99999999999999999999\r\n", .protocolError),
        (":12x\r\n", .protocolError), ("*-2\r\n", .protocolError),
        // Answers that nobody asked for.
        (String(repeating: "+PONG\r\n", count: 40), .protocolError),
    ])
    func `a malformed answer is a typed error`(_ answer: String, _ reason: RedisErrorReason) throws {
        let server = AnsweringServer(Array(answer.utf8))
        let error = #expect(throws: RedisError.self) { try connect(server) }
        #expect(error?.reason == reason, "\(String(describing: error))")
    }

    @Test func `random bytes are a typed error or an answer, never a trap`() throws {
        var random = SystemRandomNumberGenerator()
        let kinds = Array("+-:$*\r\n0123456789a".utf8)
        for _ in 0..<200 {
            let answer = (0..<Int.random(in: 1...80)).map { _ in kinds.randomElement(using: &random)! }
            let server = AnsweringServer(answer)
            do throws(RedisError) { _ = try connect(server) } catch { #expect(!error.detail.isEmpty, "\(answer)") }
        }
    }
}

/// Sends whoever connects the same bytes whatever is asked, and hangs up.
private final class AnsweringServer: Sendable {
    private let listener: LoopbackListener
    var port: Int { listener.port }

    init(_ answer: [UInt8]) {
        listener = LoopbackListener { client in
            // What is asked is taken first: closing with something unread would reset the connection.
            var asked = [UInt8](repeating: 0, count: 4096)
            _ = recv(client, &asked, asked.count, 0)
            _ = send(client, answer, answer.count, Int32(MSG_NOSIGNAL))
            shutdown(client, Int32(SHUT_WR))
            while recv(client, &asked, asked.count, 0) > 0 {}
        }
    }

    deinit { listener.close() }
}
