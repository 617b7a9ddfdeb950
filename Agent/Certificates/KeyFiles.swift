import CertificateInspection

/// A file with private keys: what may be known of them.
struct KeyFile: Sendable {
    let path: String
    /// The ids of the public halves that could be read.
    let ids: [String]
    let isReadableByOthers: Bool
    /// Nothing else is in it: it is for a certificate in another file.
    let isAlone: Bool
}

/// Puts keys and their certificates together.
enum KeyFiles {
    /// Marks certificates whose key was found, whose key is open to everybody, and that stand beside a key which is another's or are named with one.
    static func mark(_ records: inout [CertificateRecord], with files: [KeyFile], named pairs: [NamedPair] = []) {
        guard !files.isEmpty else { return }
        var owners: [String: Int] = [:]
        for (number, file) in files.enumerated() {
            // Of the copies of a key the one counts that others can read.
            for id in file.ids where owners[id] == nil || file.isReadableByOthers { owners[id] = number }
        }
        let places = files.map { FilePlace($0.path) }
        var suspects = LoneKeys(places, files)
        for index in records.indices {
            let keyId = records[index].assessment.keyId
            if let owner = owners[keyId] {
                records[index].assessment.hasKey = true
                if files[owner].isReadableByOthers { add(.keyReadable, files[owner].path, to: &records[index]) }
            }
            // Of a chain in one file the first certificate is the one that the key is for.
            guard index == 0 || records[index - 1].path != records[index].path else { continue }
            let place = FilePlace(records[index].path)
            var stranger: String?
            var isMatched = false
            for (number, file) in files.enumerated() where places[number].directory == place.directory {
                if file.ids.contains(keyId) {
                    isMatched = true
                } else if file.ids.isEmpty {
                    continue
                } else if file.path == records[index].path || file.isAlone && places[number].isPartner(of: place) {
                    stranger = file.path
                }
                if records[index].assessment.role == .leaf {
                    suspects.note(keyId, at: index, isCalledFor: places[number].isCalled(for: place), number)
                }
            }
            if !isMatched, let stranger { add(.keyMismatch, stranger, to: &records[index]) }
            for pair in pairs where pair.certificate == records[index].path {
                for file in files where file.path == pair.key && !file.ids.isEmpty && !file.ids.contains(keyId) {
                    add(.keyMismatch, file.path, to: &records[index])
                }
            }
        }
        for (index, number) in suspects.mismatches { add(.keyMismatch, files[number].path, to: &records[index]) }
    }

    private static func add(_ code: FindingCode, _ path: String, to record: inout CertificateRecord) {
        guard !record.assessment.findings.contains(where: { $0.code == code }) else { return }
        record.assessment.findings.append(Finding(code, in: record.assessment.profile, path: path))
    }
}

/// A path in the parts by which a key's file and a certificate's are known to belong together.
struct FilePlace {
    let directory: [UInt8]
    private let stem: [UInt8]

    @inline(never)
    init(_ path: String) {
        let bytes = Array(path.utf8)
        let slash = bytes.lastIndex(of: UInt8(ascii: "/")) ?? -1
        directory = Array(bytes[..<max(0, slash)])
        let name = bytes[(slash + 1)...]
        let stem = name.lastIndex(of: UInt8(ascii: ".")).map { name[..<$0] } ?? name
        self.stem = Self.bare(Array(stem))
    }

    /// `web.key`, `web-key.pem` and `web.key.pem` go with `web.pem`, `web-cert.pem` and `web.crt`; `privkey.pem` with certbot's others.
    func isPartner(of certificate: FilePlace) -> Bool {
        let isCertbot = stem.elementsEqual("privkey".utf8)
        guard isCertbot else { return stem == certificate.stem }
        return certificate.stem.elementsEqual("cert".utf8) || certificate.stem.elementsEqual("fullchain".utf8)
    }

    /// Both names say what they are and not whose: `key.pem` and `cert.pem`, `private.pem` and `server.crt`.
    @inline(never)
    func isCalled(for certificate: FilePlace) -> Bool {
        let (ofKey, ofCertificate) = (
            Self.isOneOf(["key", "privkey", "private", "privatekey"], stem),
            Self.isOneOf(["cert", "certificate", "crt", "fullchain"], certificate.stem)
        )
        let roles = ["tls", "ssl", "server", "client"]
        return ofKey && (ofCertificate || Self.isOneOf(roles, certificate.stem)) || ofCertificate && Self.isOneOf(roles, stem)
    }

    private static func isOneOf(_ names: [String], _ stem: [UInt8]) -> Bool { names.contains { stem.elementsEqual($0.utf8) } }

    private static func bare(_ stem: [UInt8]) -> [UInt8] {
        for end in ["-key", "_key", ".key", "-cert", "_cert", ".crt", ".cert", "-chain", "-fullchain"] {
            if stem.count > end.utf8.count, stem.suffix(end.utf8.count).elementsEqual(end.utf8) { return Array(stem.dropLast(end.utf8.count)) }
        }
        return stem
    }
}
