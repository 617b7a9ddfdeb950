/// How much one scan looks at: whoever fills a directory decides how much there is.
package struct ScanLimits: Equatable, Sendable {
    /// Certificate files that are read.
    package var files: Int
    package var certificates: Int
    /// Names of one directory that are looked at.
    package var directoryNames: Int
    /// Entries of all directories.
    package var entries: Int

    /// Bytes of a file that is read as a whole: DER and containers, and of one that is read in pieces.
    package var wholeBytes: Int64 = 1 << 20
    package var bundleBytes: Int64 = 32 << 20

    /// Bytes of the revocation lists that are met, all together.
    package var listBytes: Int

    /// Of a daemon, whose memory is the device's.
    package static let daemon = ScanLimits(files: 1000, certificates: 2000, directoryNames: 4096, entries: 20_000, listBytes: 2 << 20)
    /// Of a command, which gives its memory back at its end.
    package static let command = ScanLimits(
        files: 20_000, certificates: 50_000, directoryNames: 50_000, entries: 200_000, wholeBytes: 16 << 20, bundleBytes: 128 << 20,
        listBytes: 64 << 20)
}
