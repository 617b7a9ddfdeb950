/// A collection of documents and the fields it is searched by.
package struct Collection: Hashable, Sendable {
    package let name: String
    /// Fields with an index; a document is found by any field, but fast by these.
    package let indexedFields: [String]

    private init(_ name: String, indexedFields: [String]) {
        self.name = name
        self.indexedFields = indexedFields
    }

    /// One a device: `deviceId` (the id), `status`, `firstSeen`, `lastSeen`, `facts`. Times are milliseconds since 1970 in every collection.
    package static let devices = Collection("devices", indexedFields: ["status", "lastSeen"])

    /// Facts of a certificate, the same wherever it lies: `id` (SHA-256 of its DER, hexadecimal), `domain`, `expiryDate`, …
    package static let certificates = Collection("certificates", indexedFields: ["domain", "expiryDate"])

    /// Where a certificate lies: `device`, `path`, `certificate`, `notBefore`, `notAfter`, `trusted`, `scan`, `seenAt`, …
    package static let certificatePlaces = Collection("certificatePlaces", indexedFields: ["device", "certificate", "notAfter"])

    /// A device's newest scan for certificates: `scan`, `parts`, the parts that came, `problems`.
    package static let certificateScans = Collection("certificateScans", indexedFields: [])

    /// What happened on devices: `device`, `type`, `at`, `receivedAt`, `body`.
    package static let events = Collection("events", indexedFields: ["device", "type", "at"])

    package static let all: [Collection] = [devices, certificates, certificatePlaces, certificateScans, events]
}
