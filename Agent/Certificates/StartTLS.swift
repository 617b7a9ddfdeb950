import LinuxDriver

/// The words before TLS on ports that begin without it: RFC 3207 (SMTP), RFC 3501 (IMAP), and PostgreSQL's SSLRequest.
enum StartTLS {
    struct Refusal: Error {
        let text: String
    }

    /// Bytes that a server may say before it is ready.
    static let answerBytesMax = 16 * 1024
    private static let turnsMax = 64

    static func begin(_ prelude: Endpoint.Prelude, on socket: StreamSocket) throws(Refusal) {
        switch prelude {
        case .none: break
        case .smtp:
            try expect("220 ", on: socket)
            try say("EHLO farwatch-agent\r\n", on: socket)
            try expect("250 ", on: socket)
            try say("STARTTLS\r\n", on: socket)
            try expect("220 ", on: socket)
        case .imap:
            try expect("* ", on: socket)
            try say("a STARTTLS\r\n", on: socket)
            try expect("a OK", on: socket)
        case .postgres:
            // A length of 8 and the number 80877103; one byte comes back.
            try send([0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F], on: socket)
            guard try receive(max: 1, on: socket).first == UInt8(ascii: "S") else { throw Refusal(text: "the server offers no TLS") }
        }
    }

    /// Reads until a whole line begins so: the last one of an answer.
    private static func expect(_ start: String, on socket: StreamSocket) throws(Refusal) {
        var answer: [UInt8] = []
        for _ in 0..<turnsMax {
            let bytes = try receive(max: 1024, on: socket)
            answer += bytes
            guard !bytes.isEmpty, answer.count <= answerBytesMax else { break }
            guard answer.last == UInt8(ascii: "\n") else { continue }
            let lines = answer.split(separator: UInt8(ascii: "\n"))
            if let last = lines.last, last.starts(with: start.utf8) { return }
            // "250-" and "* " go on; a code of 4 or 5, or IMAP's NO and BAD, end it.
            if let last = lines.last, last.first == UInt8(ascii: "4") || last.first == UInt8(ascii: "5") || last.starts(with: "a ".utf8) { break }
        }
        throw Refusal(text: "the server does not begin TLS")
    }

    private static func say(_ text: String, on socket: StreamSocket) throws(Refusal) { try send(Array(text.utf8), on: socket) }

    private static func send(_ bytes: [UInt8], on socket: StreamSocket) throws(Refusal) {
        do throws(SystemError) { try socket.send(bytes) } catch { throw Refusal(text: error.description) }
    }

    private static func receive(max: Int, on socket: StreamSocket) throws(Refusal) -> [UInt8] {
        do throws(SystemError) { return try socket.receive(max: max) } catch { throw Refusal(text: error.description) }
    }
}
