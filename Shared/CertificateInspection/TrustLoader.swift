import LinuxDriver
import OpenSSLDriver

/// Loads anchors from their sources. A source that cannot be used is a problem to report, not an end.
struct TrustLoader {
    /// Anchors loaded whole, hashed directories not counted: a system's bundle has about 150.
    static let anchorsMax = 500
    static let fileBytesMax = 1024 * 1024
    /// Lists of large authorities have some megabytes.
    static let listBytesMax = 8 * 1024 * 1024

    let anchors: TrustAnchors
    private let context: KeylessContext
    private(set) var problems: [CertificateProblem] = []
    private var count = 0

    init(anchors: TrustAnchors, in context: KeylessContext) {
        self.anchors = anchors
        self.context = context
    }

    mutating func load(_ sources: ResolvedTrustSources) {
        for directory in sources.hashedDirectories { anchors.add(hashedDirectory: directory) }
        for directory in sources.plainDirectories { load(directory: directory) }
        for file in sources.files { load(file: file) }
    }

    mutating func loadLists(_ files: [String]) -> [RevocationList] {
        var lists: [RevocationList] = []
        for file in files {
            do throws(SystemError) {
                let encodings = SignedRevocationList.encodings(in: try SmallFile.read(file, limit: Self.listBytesMax))
                var found: [RevocationList] = []
                for encoding in encodings { if let list = try? RevocationList(encoding) { found.append(list) } }
                if found.isEmpty || found.count < encodings.count { report(file, "no revocation list inside, or a malformed one") }
                lists += found
            } catch {
                report(file, error.description)
            }
        }
        return lists
    }

    private mutating func load(directory: String) {
        do throws(SystemError) {
            let names = try SmallFile.names(in: directory, limit: TrustSources.directoryNamesMax)
            for name in names where CertificateFileName.isCertificate(name) { load(file: directory + "/" + name) }
        } catch {
            report(directory, error.description)
        }
    }

    private mutating func load(file: String) {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try SmallFile.read(file, limit: Self.fileBytesMax)
        } catch {
            return report(file, error.description)
        }
        var reader = CertificateReader(bytes, in: context)
        let before = count
        var fault: OpenSSLError?
        while true {
            do throws(OpenSSLError) {
                guard let anchor = try reader.next() else { break }
                guard count < Self.anchorsMax else { return report(file, "more than " + String(Self.anchorsMax) + " anchors") }
                guard anchors.add(anchor) else { throw OpenSSLError(malformed: "read certificate") }
                count += 1
            } catch {
                if fault == nil { fault = error }
            }
        }
        if let fault { report(file, fault.description) } else if count == before { report(file, "no certificate inside") }
    }

    private mutating func report(_ path: String, _ text: String) { problems.append(CertificateProblem(.trustSource, path, text)) }
}

/// Names that certificate files go by.
package enum CertificateFileName {
    private static let suffixes = [".pem", ".crt", ".cer", ".cert", ".der", ".ca-bundle", ".p7b", ".p7c", ".p12", ".pfx", ".jks", ".jceks"]

    /// Whether the name ends as a certificate file's does, in either case of letters.
    package static func isCertificate(_ name: String) -> Bool { ends(name, with: suffixes) }

    /// Whether the name is one of a private key's file.
    package static func isKey(_ name: String) -> Bool { ends(name, with: [".key"]) }

    /// Whether whoever made the file meant it for a private key: `web.key`, `privkey.pem`.
    package static func meansKey(_ path: String) -> Bool {
        if isKey(path) { return true }
        let name = path.utf8.split(separator: UInt8(ascii: "/")).last.map { Array($0) } ?? []
        return ends(path, with: [".pem"]) && name.indices.contains { name[$0...].starts(with: "key".utf8) }
    }

    /// Whether files of that name are looked at in a directory.
    package static func isOurs(_ name: String) -> Bool { isCertificate(name) || isKey(name) || isList(name) }

    /// Whether the name is one of a revocation list's file.
    package static func isList(_ name: String) -> Bool { ends(name, with: [".crl"]) }

    private static func ends(_ name: String, with suffixes: [String]) -> Bool {
        let bytes = name.utf8.map { (0x41...0x5A).contains($0) ? $0 + 32 : $0 }
        return suffixes.contains { suffix in bytes.count > suffix.utf8.count && bytes.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) }
    }
}
