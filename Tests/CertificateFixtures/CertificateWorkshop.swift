import Foundation

/// Makes certificates for tests with the `openssl` command, in a directory that goes away with this object.
package final class CertificateWorkshop: Sendable {
    package enum Key: Sendable, CaseIterable { case rsa, p256, p384, ed25519 }

    /// Without a trailing slash.
    package let directory: String

    package init() throws {
        directory = NSTemporaryDirectory().trimmingSuffix("/") + "/farwatch-certificates-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    // MARK: Files

    package func path(_ name: String) -> String { directory + "/" + name }

    package func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path(name)))) }

    package func write(_ name: String, _ bytes: [UInt8]) throws {
        try FileManager.default.createDirectory(
            atPath: URL(fileURLWithPath: path(name)).deletingLastPathComponent().path, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
    }

    /// Joins files into one.
    package func join(_ names: [String], as name: String) throws {
        var all: [UInt8] = []
        for part in names { all += try bytes(part) }
        try write(name, all)
    }

    // MARK: Certificates

    /// Makes `<name>.key` and `<name>.pem`, signed by `<issuer>.key` or by itself. Dates are `YYYYMMDDHHMMSSZ`.
    package func issue(
        _ name: String, subject: String? = nil, key: Key = .p256, by issuer: String? = nil, isAuthority: Bool = false,
        alternativeNames: String? = nil, from notBefore: String = "20250101000000Z", to notAfter: String = "20350101000000Z"
    ) throws {
        try makeKey(name, key)
        try sign(
            name, subject: subject ?? "/CN=" + name, by: issuer, isAuthority: isAuthority, alternativeNames: alternativeNames, from: notBefore,
            to: notAfter)
    }

    /// What may be odd about a certificate.
    package struct Oddity: Sendable {
        package var subject: String?
        /// Lines of openssl's configuration; nil for none, and then version 1.
        package var extensions: [String]? = []
        /// Arguments of `openssl genpkey`; nil for a key on P-256.
        package var key: [String]?
        package var digest: String?
        /// Hexadecimal; random if nil.
        package var serial: String?
        package var from = "20260101000000Z"
        package var to = "20261201000000Z"

        package init() {}
    }

    /// Makes `<name>.key` and `<name>.pem` as they should not be.
    package func issue(_ name: String, by issuer: String?, _ oddity: Oddity) throws {
        try openssl(["genpkey"] + (oddity.key ?? ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]) + ["-out", name + ".key"])
        try openssl(["req", "-new", "-utf8", "-key", name + ".key", "-subj", oddity.subject ?? "/CN=" + name, "-out", name + ".csr"])
        try write(name + ".index", [])
        if let serial = oddity.serial { try write(name + ".serial", Array(serial.utf8)) }
        var text = configuration(of: name, extensions: oddity.extensions, digest: oddity.digest)
        if oddity.serial != nil { text = text.replacingOccurrences(of: "rand_serial = yes", with: "serial = " + name + ".serial") }
        try write(name + ".cnf", Array(text.utf8))
        let signer = issuer.map { ["-cert", $0 + ".pem", "-keyfile", $0 + ".key"] } ?? ["-selfsign", "-keyfile", name + ".key"]
        try openssl(
            ["ca", "-batch", "-notext", "-utf8", "-preserveDN", "-config", name + ".cnf", "-in", name + ".csr", "-out", name + ".pem"]
                + ["-startdate", oddity.from, "-enddate", oddity.to] + signer)
    }

    private func configuration(of name: String, extensions: [String]?, digest: String?) -> String {
        let standard = configuration(of: name, isAuthority: false, alternativeNames: nil)
        let lines = standard.split(separator: "\n", omittingEmptySubsequences: false).prefix { $0 != "[extensions]" }
        var text = lines.joined(separator: "\n").replacingOccurrences(of: "default_md = default", with: "default_md = " + (digest ?? "default"))
        if let extensions { return text + "\n[extensions]\n" + extensions.joined(separator: "\n") + "\n" }
        text = text.replacingOccurrences(of: "x509_extensions = extensions", with: "")
        return text + "\n"
    }

    /// Makes another certificate of an authority's name and key.
    package func renew(_ name: String, by issuer: String?, to notAfter: String = "20350101000000Z") throws {
        try sign(name, subject: "/CN=" + name, by: issuer, isAuthority: issuer != nil, alternativeNames: nil, from: "20250101000000Z", to: notAfter)
    }

    private func sign(
        _ name: String, subject: String, by issuer: String?, isAuthority: Bool, alternativeNames: String?, from notBefore: String, to notAfter: String
    ) throws {
        try openssl(["req", "-new", "-utf8", "-key", name + ".key", "-subj", subject, "-out", name + ".csr"])
        try write(name + ".index", [])
        try write(name + ".cnf", Array(configuration(of: name, isAuthority: isAuthority, alternativeNames: alternativeNames).utf8))
        let signer = issuer.map { ["-cert", $0 + ".pem", "-keyfile", $0 + ".key"] } ?? ["-selfsign", "-keyfile", name + ".key"]
        try openssl(
            ["ca", "-batch", "-notext", "-utf8", "-preserveDN", "-config", name + ".cnf", "-in", name + ".csr", "-out", name + ".pem"]
                + ["-startdate", notBefore, "-enddate", notAfter] + signer)
    }

    package func makeDER(_ name: String) throws {
        try openssl(["x509", "-in", name + ".pem", "-outform", "DER", "-out", name + ".der"])
    }

    private func makeKey(_ name: String, _ key: Key) throws {
        let options =
            switch key {
            case .rsa: ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
            case .p256: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
            case .p384: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]
            case .ed25519: ["-algorithm", "ED25519"]
            }
        try openssl(["genpkey"] + options + ["-out", name + ".key"])
    }

    private func configuration(of name: String, isAuthority: Bool, alternativeNames: String?) -> String {
        """
        [ca]
        default_ca = one
        [one]
        database = \(name).index
        new_certs_dir = .
        rand_serial = yes
        default_md = default
        policy = any
        unique_subject = no
        x509_extensions = extensions
        [any]
        commonName = optional
        [extensions]
        basicConstraints = critical,CA:\(isAuthority ? "TRUE" : "FALSE")
        \(alternativeNames.map { "subjectAltName = " + $0 } ?? "")

        """
    }

    @discardableResult
    package func openssl(_ arguments: [String]) throws -> String { try ShortCommand.run(["openssl"] + arguments, in: directory) }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: String) -> String { hasSuffix(suffix) ? String(dropLast(suffix.count)) : self }
}
