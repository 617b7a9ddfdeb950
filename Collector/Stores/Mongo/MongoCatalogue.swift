import MongoDriver

/// The collections. Those of services that are still to come are made too, with what is known of them.
extension MongoCollection {
    package static let all = [
        devices, certificates, certificatePlaces, keyPlaces, certificateHistory, certificateScans, events, transactions, quantumCertificates,
        trainingData,
        audit, temporary,
    ]

    private static let devices = MongoCollection(
        "devices", identity: "deviceId", dates: ["firstSeen", "lastSeen", "factsAt"], indexes: [Index("status", "_id"), Index("lastSeen", "_id")],
        required: ["status", "firstSeen"],
        properties: [
            "status": ["enum": ["online", "offline", "unknown"]],
            "facts": ["bsonType": "object", "additionalProperties": ["bsonType": ["string", "double", "long", "int"]]],
            "labels": ["bsonType": "object", "additionalProperties": text],
        ])

    private static let certificates = MongoCollection(
        "certificates", identity: "id", dates: ["notBefore", "expiryDate", "firstSeen", "lastSeen"],
        indexes: [Index("domain", "_id"), Index("expiryDate", "_id")],
        required: ["domain"],
        properties: [
            "domain": text, "subject": text, "issuer": text, "serial": text, "names": texts, "key_algorithm": text, "key_bits": whole,
            "signature_algorithm": text, "is_authority": bool, "keyId": text,
        ])

    private static let certificatePlaces = MongoCollection(
        "certificatePlaces", dates: ["seenAt", "firstSeen", "notBefore", "notAfter"],
        indexes: [
            Index("device", "notAfter", "_id"), Index("device", "scan"), Index("notAfter", "_id"), Index("certificate", "_id"),
            Index("issuer", "notAfter", "_id"), Index("keyId", "notAfter", "_id"), Index("servedOnly", "notAfter", "_id"),
            Index("keyReuse", "keyId", "_id"), Index("codes", "notAfter", "_id"), Index("chain", "notAfter", "_id"),
        ],
        required: ["device", "path", "certificate", "trusted", "scan"],
        properties: [
            "device": text, "path": text, "certificate": text, "subject": text, "issuer": text, "trusted": bool, "trustError": text,
            "validationTime": number, "responseTime": number, "score": whole, "scan": whole, "source": text, "role": text, "profile": text,
            "keyId": text, "hasKey": bool, "keyReuse": text, "servedOnly": bool, "codes": texts, "chain": texts,
            "findings": ["bsonType": "array", "items": object],
        ])

    private static let keyPlaces = MongoCollection(
        "keyPlaces", dates: ["seenAt"],
        indexes: [Index("device", "_id"), Index("device", "scan"), Index("keyId", "_id"), Index("keyReuse", "keyId", "_id")],
        required: ["device", "path", "keyId", "scan"],
        properties: ["device": text, "path": text, "keyId": text, "hasKey": bool, "keyReuse": text, "scan": whole])

    private static let certificateHistory = MongoCollection(
        "certificateHistory", dates: ["from", "to"],
        indexes: [Index("certificate", "to", "_id"), Index("replacedBy", "to", "_id"), Index("to", "_id")],
        required: ["device", "path", "certificate", "from", "to"],
        properties: ["device": text, "path": text, "certificate": text, "subject": text, "replacedBy": text])

    private static let certificateScans = MongoCollection(
        "certificateScans", required: ["scan", "parts"],
        properties: [
            "scan": whole, "parts": whole, "seen": ["bsonType": "array", "items": whole], "problems": ["bsonType": "array", "items": object],
        ])

    private static let events = MongoCollection(
        "events", dates: ["at", "receivedAt"],
        indexes: [Index("at", "_id"), Index("device", "at", "_id"), Index("type", "at", "_id"), Index(eventsExpire)],
        required: ["device", "type", "at", "receivedAt"], properties: ["device": text, "type": text, "body": object])

    /// By the collector's clock, so that a device with a clock of its own does not make its events go at once.
    static let eventsExpire = "receivedAt"

    private static let transactions = MongoCollection(
        "transactions", identity: "hash", dates: ["at"], indexes: [Index("chainId", "at", "_id"), Index("status", "_id")], required: ["chainId"],
        properties: ["chainId": whole, "status": text])

    private static let quantumCertificates = MongoCollection(
        "quantum_certificates", identity: "id", dates: ["at", "expiryDate"], indexes: [Index("algorithm", "_id"), Index("device", "_id")],
        required: ["algorithm"], properties: ["algorithm": text, "device": text])

    private static let trainingData = MongoCollection(
        "training_data", dates: ["at"], indexes: [Index("device", "at", "_id")], required: ["device", "at"], properties: ["device": text])

    private static let audit = MongoCollection(
        "audit", dates: ["at"], indexes: [Index("at", "_id"), Index("actor", "at", "_id")], required: ["at", "actor", "action"],
        properties: ["actor": text, "action": text])

    private static let temporary = MongoCollection(
        "temporary", dates: ["expiresAt"], indexes: [Index("expiresAt", expiry: 0)], required: ["expiresAt"])
}
