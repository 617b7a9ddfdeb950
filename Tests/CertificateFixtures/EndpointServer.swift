import Foundation

/// A server of a workshop's certificates on a free port of the loopback, `serve.py`, ended with this object.
package final class EndpointServer {
    package let port: String
    private let id: Int32

    /// `prelude` is what is said before TLS begins: `tls` for nothing, `smtp`, `imap`, `postgres`; `refuse` and `silent` never begin it, `http` has the file `list` by HTTP, `drip`
    /// sends a byte now and then; `deny` answers by TLS as a Redis server does that takes nobody; `old` speaks TLS 1.1 at most, `plain` without encryption; `staple` has the OCSP response in the file `response`, and `middle.pem` above its leaf.
    package init(_ workshop: CertificateWorkshop, chain: String, key: String, _ prelude: String) throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "serve.py").path
        let output = try ShortCommand.run(["python3", script, workshop.path(chain), workshop.path(key), prelude], in: workshop.directory)
        let words = output.split { $0 == " " || $0 == "\n" }
        guard words.count == 2, let id = Int32(words[1]) else { throw ShortCommand.Failure(description: "serve.py: " + output) }
        port = String(words[0])
        self.id = id
    }

    deinit { kill(id, SIGKILL) }
}
