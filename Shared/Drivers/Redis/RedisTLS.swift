/// Who a server has to be, and who we are, where TLS is spoken (`rediss://`).
package struct RedisTLS: Equatable, Sendable {
    /// PEM file of the authorities that are trusted; nil for those of the system.
    package var authorityFile: String?
    /// PEM file of the client's certificate and the chain to its authority; nil for none.
    package var certificateFile: String?
    /// PEM file of its key; nil when that is in `certificateFile`.
    package var keyFile: String?

    package init(authorityFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil) {
        self.authorityFile = authorityFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
    }
}
