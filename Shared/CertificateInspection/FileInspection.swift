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
        /// A container that no password opens.
        case locked
        case end
    }

    package let path: String
    /// Whether the file holds PEM blocks that are no certificates, known at the end.
    package var hasOtherBlocks: Bool { earlier.hasOtherBlocks || reader.otherBlocks > 0 }
    package var hasLists: Bool { earlier.hasLists || reader.listBlocks > 0 }

    /// The ids of the public halves of private keys in the file, and how many keys there are, known at the end.
    package var keys: [String] { Array((earlier.keys + reader.keys).prefix(CertificateReader.keysMax)) }
    package var keyCount: Int { earlier.keyCount + reader.keyBlocks }

    /// Of the pieces before this one.
    private struct Earlier {
        var hasOtherBlocks = false
        var hasLists = false
        var keys: [String] = []
        var keyCount = 0
    }

    private var earlier = Earlier()
    private var reader: CertificateReader
    /// What has been read already, in its order.
    private var found: ArraySlice<ChainCertificate>
    /// Nanoseconds that reading one of them took.
    private let readingTime: Int64
    private let intermediates: [ChainCertificate]
    private let profile: ValidationProfile
    private let isMisordered: Bool

    /// With the inspector that will judge it less is done twice.
    package init(
        path: String, bytes: [UInt8], profile: ValidationProfile = .device, passwords: [String] = [], for inspector: CertificateInspector? = nil
    ) {
        self.path = path
        self.profile = profile
        let started = Clock.monotonicNanoseconds()
        let whole = CertificateReader(bytes, passwords: passwords, in: inspector?.context)
        reader = whole
        let (first, isAll) = Self.beginning(of: &reader, inspector)
        // Also those that are no authorities: what one of them issued is told of.
        intermediates = first
        isMisordered = !reader.isUnordered && Self.isMisordered(first)
        // A file that holds much, or something damaged, is read once more from its beginning.
        if !isAll { reader = whole }
        found = isAll ? first[...] : []
        readingTime = (Clock.monotonicNanoseconds() - started) / Int64(max(1, first.count))
    }

    /// Goes on with the next piece of the file, which begins with another block. The authorities of the first piece stay those of the file.
    package mutating func goOn(with piece: [UInt8], for inspector: CertificateInspector) {
        earlier = Earlier(hasOtherBlocks: hasOtherBlocks, hasLists: hasLists, keys: keys, keyCount: keyCount)
        reader = CertificateReader(piece, in: inspector.context)
        found = []
    }

    package mutating func next(with inspector: CertificateInspector, at now: Int64?) -> Outcome {
        let started = Clock.monotonicNanoseconds()
        do throws(OpenSSLError) {
            let place = CertificatePlace(path: path, profile: profile, intermediates: intermediates, isMisordered: isMisordered)
            if let one = found.popFirst() { return .certificate(inspector.inspect(one, in: place, at: now, since: started - readingTime)) }
            guard let certificate = try reader.next() else { return .end }
            return .certificate(inspector.inspect(certificate, in: place, at: now, since: started))
        } catch {
            return error.reason == .locked ? .locked : .fault(error.description)
        }
    }

    /// The authorities of a file, and its leaves as long as there are few: what chains and their order are known by. Whether that is all of it.
    private static func beginning(of reader: inout CertificateReader, _ inspector: CertificateInspector?) -> ([ChainCertificate], isAll: Bool) {
        var found: [ChainCertificate] = []
        var authorities = 0
        var isAll = true
        while authorities < intermediatesMax {
            do throws(OpenSSLError) {
                guard let certificate = try reader.next() else { return (found, isAll) }
                let isAuthority = certificate.isAuthority
                guard isAuthority || found.count - authorities < 2,
                    let one = link(certificate, inspector)
                else {
                    isAll = false
                    continue
                }
                if isAuthority { authorities += 1 }
                found.append(one)
            } catch {
                isAll = false  // The inspection itself meets the same block and tells of it.
            }
        }
        return (found, false)
    }

    private static func link(_ certificate: Certificate, _ inspector: CertificateInspector?) -> ChainCertificate? {
        guard let inspector else { return try? ChainCertificate(certificate) }
        return try? inspector.link(certificate)
    }

    /// Whether a file that holds one leaf and issuers has them in another order than from the leaf up.
    static func isMisordered(_ found: [ChainCertificate]) -> Bool {
        guard found.count > 1, found.count(where: { !$0.content.extensions.isAuthority }) == 1 else { return false }
        if found[0].content.extensions.isAuthority { return true }
        for (lower, upper) in zip(found, found.dropFirst()) where !lower.content.names(upper.content) { return true }
        return false
    }
}

/// Where a certificate was found, and what stands there with it.
struct CertificatePlace {
    let path: String
    let profile: ValidationProfile
    let intermediates: [ChainCertificate]
    let isMisordered: Bool
    /// The host that it was served for.
    var host: String?
    var stapled = StapledStatus.none
}
