import AsyncHTTPClient
import LinuxDriver
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Why a collector could not be asked, in an operator's words.
enum ConnectionFailure {
    static func reason(of error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError: reason(of: error)
        case let error as IOError: SystemError(code: error.errnoCode, operation: "connect").reason.lowercased()
        case let error as HTTPClientError: reason(of: error)
        case is ChannelError: "no connection within \(CollectorClient.connectSeconds) s"
        case is HTTPParserError: "what listens there does not speak HTTP"
        case is NIOTooManyBytesError: "its answer is too large"
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: "TLS failed (\(error))"
        case is CancellationError: "interrupted"
        default: Table.printable("\(error)")
        }
    }

    private static func reason(of error: NIOConnectionError) -> String {
        guard let failed = error.connectionErrors.first else { return "the host \(error.host) is not known" }
        return reason(of: failed.error)
    }

    private static func reason(of error: HTTPClientError) -> String {
        switch error {
        case .connectTimeout, .getConnectionFromPoolTimeout: "no connection within \(CollectorClient.connectSeconds) s"
        case .readTimeout, .writeTimeout, .deadlineExceeded: "no answer in time"
        case .remoteConnectionClosed: "the connection was closed without an answer"
        case .tlsHandshakeTimeout: "TLS was not established in time"
        default: Table.printable(error.shortDescription)
        }
    }
}
