import CertificateInspection
import Telemetry

/// A private key without a certificate, by the id of its public half; nothing else of it is known here.
package struct BareKey: Equatable, Sendable {
    /// Keys that one report tells of.
    package static let countMax = 512

    /// SHA-256 of the public key's encoding, lower-case hexadecimal: what its certificates have as `key_id`.
    package let id: String
    package let path: String

    package init(id: String, path: String) {
        self.id = id
        self.path = BoundedText.cut(path, to: CertificateRecord.pathBytesMax)
    }

    /// Keys of these files that belong to none of these certificates; each once.
    @inline(never)
    static func among(_ files: [KeyFile], beside records: [CertificateRecord]) -> [BareKey] {
        guard !files.isEmpty else { return [] }
        var known: [String: Int] = [:]
        for record in records where record.assessment.hasKey { known[record.assessment.keyId] = 1 }
        var keys: [BareKey] = []
        for file in files {
            for id in file.ids where keys.count < countMax && known[id] == nil {
                known[id] = 1
                keys.append(BareKey(id: id, path: file.path))
            }
        }
        return keys
    }

    var json: String {
        var writer = JSONWriter()
        writer.object { object in
            object.string("key_id", id)
            object.string("path", path)
        }
        return writer.text
    }
}
