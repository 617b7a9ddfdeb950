import LinuxDriver
import OpenSSLDriver

/// The inspection of one file's bytes, a certificate at a time, so that a large bundle neither fills memory nor holds up the caller's loop.
package struct FileInspection {
    /// Authorities of a file that may serve as intermediates for its other certificates: a chain file holds one to three.
    package static let intermediatesMax = 16

    package enum Outcome: Sendable {
        case certificate(InspectedCertificate)
        /// A malformed block; the inspection goes on behind it.
        case fault(String)
        case end
    }

    package let path: String
    /// Whether the file holds PEM blocks that are no certificates, known at the end.
    package var hasOtherBlocks: Bool { reader.otherBlocks > 0 }

    private var reader: CertificateReader
    private let intermediates: [Certificate]

    package init(path: String, bytes: [UInt8]) {
        self.path = path
        reader = CertificateReader(bytes)
        intermediates = Self.authorities(in: bytes)
    }

    package mutating func next(with inspector: CertificateInspector, at now: Int64?) -> Outcome {
        let started = Clock.monotonicNanoseconds()
        do throws(OpenSSLError) {
            guard let certificate = try reader.next() else { return .end }
            return .certificate(inspector.inspect(certificate, path: path, intermediates: intermediates, at: now, since: started))
        } catch {
            return .fault(error.description)
        }
    }

    private static func authorities(in bytes: [UInt8]) -> [Certificate] {
        var found: [Certificate] = []
        var reader = CertificateReader(bytes)
        while found.count < intermediatesMax {
            do throws(OpenSSLError) {
                guard let certificate = try reader.next() else { break }
                if certificate.isAuthority { found.append(certificate) }
            } catch {
                continue  // The inspection itself meets the same block and tells of it.
            }
        }
        return found
    }
}
