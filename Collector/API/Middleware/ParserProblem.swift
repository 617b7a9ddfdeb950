import Hummingbird
import NIOCore
import NIOHTTPTypes
import Telemetry

/// What is no HTTP never reaches a route: the framework answers with a bare 400. This gives that answer the body that every other error has.
package final class ParserProblem: ChannelOutboundHandler, RemovableChannelHandler {
    package typealias OutboundIn = HTTPResponsePart
    package typealias OutboundOut = HTTPResponsePart

    package init() {}

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // Our own answers say of what type they are.
        guard case .head(var head) = Self.unwrapOutboundIn(data), head.status == .badRequest, head.headerFields[.contentType] == nil else {
            context.write(data, promise: promise)
            return
        }
        let body = Problem(.badRequest, "this is not a request that HTTP/1.1 knows, or its head is too large").text
        head.headerFields[.contentType] = Problem.contentType
        head.headerFields[.contentLength] = String(body.utf8.count)
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        context.write(Self.wrapOutboundOut(.body(ByteBuffer(string: body))), promise: promise)
    }
}
