import LinuxDriver
import OpenSSLDriver

/// The anchors of a machine: those that were added, and directories that are looked into when a chain asks for a name.
package final class TrustAnchors {
    /// `<hash>.0`, `<hash>.1`, …: anchors of one name.
    static let anchorsOfNameMax = 16
    /// Names of directories that are kept, found or not.
    static let rememberedMax = 64
    static let fileBytesMax = 1024 * 1024

    private let context: KeylessContext
    private var loaded: [ChainCertificate] = []
    private var directories: [String] = []
    private var remembered: [(hash: UInt, anchors: [ChainCertificate])] = []

    package init(in context: KeylessContext = KeylessContext()) { self.context = context }

    /// False for a certificate that our parser refuses.
    @discardableResult
    package func add(_ certificate: Certificate) -> Bool {
        do throws(DERError) {
            loaded.append(try ChainCertificate(certificate))
            return true
        } catch {
            return false
        }
    }

    /// A directory of `<subject hash>.<number>` files, as `c_rehash` makes it.
    package func add(hashedDirectory path: String) { directories.append(path) }

    package func contains(_ one: ChainCertificate) -> Bool {
        loaded.contains { $0.isSame(as: one) } || found(one.certificate.subjectHash()).contains { $0.isSame(as: one) }
    }

    /// Anchors of the name of the child's issuer.
    func named(_ issuer: NameContent, for child: Certificate) -> [ChainCertificate] {
        loaded.filter { $0.content.subject == issuer } + found(child.issuerHash()).filter { $0.content.subject == issuer }
    }

    private func found(_ hash: UInt) -> [ChainCertificate] {
        guard !directories.isEmpty else { return [] }
        if let known = remembered.first(where: { $0.hash == hash }) { return known.anchors }
        var anchors: [ChainCertificate] = []
        for directory in directories { look(in: directory, hash, &anchors) }
        if remembered.count >= Self.rememberedMax { remembered.removeFirst() }
        remembered.append((hash, anchors))
        return anchors
    }

    private func look(in directory: String, _ hash: UInt, _ anchors: inout [ChainCertificate]) {
        let digits = String(hash, radix: 16)
        let stem = directory + "/" + String(repeating: "0", count: max(0, 8 - digits.utf8.count)) + digits + "."
        for number in 0..<Self.anchorsOfNameMax {
            do throws(SystemError) {
                var reader = CertificateReader(try SmallFile.read(stem + String(number), limit: Self.fileBytesMax), in: context)
                guard let one = try? reader.next(), let anchor = try? ChainCertificate(one) else { continue }
                anchors.append(anchor)
            } catch {
                return
            }
        }
    }
}
