import Hummingbird
import Telemetry

/// An error as RFC 9457 describes it: what a client is told when a request cannot be served.
package struct Problem: Error, Equatable, Sendable {
    package let status: HTTPResponse.Status
    package let detail: String

    package init(_ status: HTTPResponse.Status, _ detail: String) {
        self.status = status
        self.detail = detail
    }

    static let contentType = "application/problem+json"

    var response: Response { .text(text, type: Self.contentType, status: status) }

    /// The document.
    var text: String {
        var writer = JSONWriter()
        writer.object { object in
            object.string("type", "about:blank")
            object.string("title", status.reasonPhrase)
            object.integer("status", Int64(status.code))
            object.string("detail", detail)
        }
        return writer.text
    }
}

extension Response {
    /// A response whose body is there already.
    static func text(_ text: String, type: String, status: HTTPResponse.Status = .ok) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = type
        headers[.cacheControl] = "no-store"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    static func json(_ body: (inout JSONWriter) -> Void) -> Response {
        var writer = JSONWriter()
        writer.object(nil, body)
        return .text(writer.text, type: "application/json")
    }
}
