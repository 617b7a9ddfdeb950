import LinuxDriver
import OpenSSLDriver

/// Fills a trust store from its sources. A source that cannot be used is a problem to report, not an end.
struct TrustLoader {
    /// Anchors loaded whole, hashed directories not counted: a system's bundle has about 150.
    static let anchorsMax = 500
    static let fileBytesMax = 1024 * 1024

    let store: TrustStore
    private(set) var problems: [CertificateProblem] = []
    private var anchors = 0

    init(store: TrustStore) { self.store = store }

    mutating func load(_ sources: ResolvedTrustSources) {
        for directory in sources.hashedDirectories {
            do throws(OpenSSLError) { try store.add(hashedDirectory: directory) } catch { report(directory, error.description) }
        }
        for directory in sources.plainDirectories { load(directory: directory) }
        for file in sources.files { load(file: file) }
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
        var reader = CertificateReader(bytes)
        let before = anchors
        var fault: OpenSSLError?
        while true {
            do throws(OpenSSLError) {
                guard let anchor = try reader.next() else { break }
                guard anchors < Self.anchorsMax else { return report(file, "more than " + String(Self.anchorsMax) + " anchors") }
                try store.add(anchor: anchor)
                anchors += 1
            } catch {
                if fault == nil { fault = error }
            }
        }
        if let fault { report(file, fault.description) } else if anchors == before { report(file, "no certificate inside") }
    }

    private mutating func report(_ path: String, _ text: String) { problems.append(CertificateProblem(.trustSource, path, text)) }
}

/// Names that certificate files go by.
package enum CertificateFileName {
    private static let suffixes = [".pem", ".crt", ".cer", ".cert", ".der", ".ca-bundle"]

    /// Whether the name ends as a certificate file's does, in either case of letters.
    package static func isCertificate(_ name: String) -> Bool {
        let bytes = name.utf8.map { (0x41...0x5A).contains($0) ? $0 + 32 : $0 }
        return suffixes.contains { suffix in bytes.count > suffix.utf8.count && bytes.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) }
    }
}
