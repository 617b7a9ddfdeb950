/// A collection of documents and the fields it is searched by.
package struct Collection: Hashable, Sendable {
    package let name: String
    /// Fields with an index, each a list of those that it goes by, in order; a document is found by any field, but fast by these.
    package let indexes: [[String]]
    /// Fields that hold lists of texts; a document is found fast by each that is in them.
    package let lists: [String]

    private init(_ name: String, indexes: [[String]] = [], lists: [String] = []) {
        self.name = name
        self.indexes = indexes
        self.lists = lists
    }

    /// One a device: `deviceId` (the id), `status`, `firstSeen`, `lastSeen`, `facts`. Times are milliseconds since 1970 in every collection.
    package static let devices = Collection("devices", indexes: [["status"], ["lastSeen"]])

    /// Facts of a certificate, the same wherever it lies: `id` (SHA-256 of its DER, hexadecimal), `domain`, `expiryDate`, `issuer`, `keyId`, …
    package static let certificates = Collection("certificates", indexes: [["domain"], ["expiryDate"]])

    /// Where a certificate lies or is served: `device`, `path`, `certificate`, `notBefore`, `notAfter`, `trusted`, `scan`, `seenAt`, …; `codes` are
    /// those of its findings, `chain` the ids of its issuers.
    package static let certificatePlaces = Collection(
        "certificatePlaces",
        indexes: [
            ["device"], ["certificate"], ["notAfter"], ["device", "notAfter"], ["issuer", "notAfter"], ["keyId", "notAfter"],
            ["servedOnly", "notAfter"],
            ["keyReuse", "keyId"],
        ], lists: ["codes", "chain"])

    /// Where a private key lies without a certificate beside it, known by its public half: `device`, `path`, `keyId`, `hasKey`, `scan`, `seenAt`,
    /// `keyReuse`.
    package static let keyPlaces = Collection("keyPlaces", indexes: [["device", "scan"], ["keyId"], ["keyReuse", "keyId"]])

    /// Where a certificate was and is no more: `device`, `path`, `certificate`, `from`, `to`, `replacedBy`.
    package static let certificateHistory = Collection(
        "certificateHistory", indexes: [["certificate", "to"], ["replacedBy", "to"], ["to"]])

    /// A device's newest scan for certificates: `scan`, `parts`, the parts that came, `problems`.
    package static let certificateScans = Collection("certificateScans")

    /// What happened on devices: `device`, `type`, `at`, `receivedAt`, `body`.
    package static let events = Collection("events", indexes: [["device"], ["type"], ["at"]])

    package static let all: [Collection] = [devices, certificates, certificatePlaces, keyPlaces, certificateHistory, certificateScans, events]
}
