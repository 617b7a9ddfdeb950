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

/// Puts keys and the certificates beside them together.
enum KeyFiles {
    /// Marks certificates whose key is open to everybody, or that stand beside a key which is another's.
    static func mark(_ records: inout [CertificateRecord], with files: [KeyFile]) {
        guard !files.isEmpty else { return }
        let places = files.map { FilePlace($0.path) }
        for index in records.indices {
            let place = FilePlace(records[index].path)
            // Of a chain in one file the first certificate is the one that the key is for.
            let isFirst = index == 0 || records[index - 1].path != records[index].path
            var stranger: String?
            var isMatched = false
            for (number, file) in files.enumerated() where places[number].directory == place.directory {
                if file.ids.contains(records[index].assessment.keyId) {
                    isMatched = true
                    records[index].assessment.hasKey = true
                    if file.isReadableByOthers { add(.keyReadable, file.path, to: &records[index]) }
                } else if isFirst, !file.ids.isEmpty, file.path == records[index].path || file.isAlone && places[number].isPartner(of: place) {
                    stranger = file.path
                }
            }
            if !isMatched, let stranger { add(.keyMismatch, stranger, to: &records[index]) }
        }
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

    private static func bare(_ stem: [UInt8]) -> [UInt8] {
        for end in ["-key", "_key", ".key", "-cert", "_cert", ".crt", ".cert", "-chain", "-fullchain"] {
            if stem.count > end.utf8.count, stem.suffix(end.utf8.count).elementsEqual(end.utf8) { return Array(stem.dropLast(end.utf8.count)) }
        }
        return stem
    }
}
