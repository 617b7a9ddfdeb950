/// The server's and libmongoc's words, cleaned of what must not be told and bounded.
package enum MongoDetail {
    /// Longer messages are cut.
    package static let charactersMax = 500

    package static func clean(_ message: String) -> String {
        // "E11000 duplicate key error collection: … index: id_1 dup key: { id: "…" }": the key is a document's value.
        let text = message.firstRange(of: " dup key").map { String(message[..<$0.lowerBound]) } ?? message
        return text.count <= charactersMax ? text : String(text.prefix(charactersMax)) + "…"
    }
}

/// Which field of a document breaks a collection's rules, out of what the server says of it: never the value.
/// <https://www.mongodb.com/docs/v6.0/core/schema-validation/handle-invalid-documents/>
package enum ValidationDetail {
    /// How deep the server's answer is followed.
    private static let depthMax = 16
    private static let fieldsMax = 8

    /// `field facts.os: bsonType`, or `field status is missing`, several after each other; nil when the server names none.
    package static func text(_ info: BSONDocument) -> String? {
        var found: [String] = []
        if let details = info["details"]?.document { look(at: details, path: [], depth: 0, into: &found) }
        return found.isEmpty ? nil : found.prefix(fieldsMax).joined(separator: ", ")
    }

    private static func look(at document: BSONDocument, path: [String], depth: Int, into found: inout [String]) {
        guard depth < depthMax, found.count < fieldsMax else { return }
        var path = path
        if let name = document["propertyName"]?.text { path.append(name) }
        var isNamed = false
        for name in (document["missingProperties"]?.array ?? []).compactMap({ $0.text }) {
            found.append("field " + (path + [name]).joined(separator: ".") + " is missing")
            isNamed = true
        }
        for name in (document["additionalProperties"]?.array ?? []).compactMap({ $0.text }) {
            found.append("field " + (path + [name]).joined(separator: ".") + " is not foreseen")
            isNamed = true
        }
        for member in document.members
        where ["schemaRulesNotSatisfied", "propertiesNotSatisfied", "details", "clausesNotSatisfied"].contains(member.name) {
            isNamed = true
            let inner = member.value.array ?? [member.value]
            for case .document(let part) in inner { look(at: part, path: path, depth: depth + 1, into: &found) }
        }
        if !isNamed, !path.isEmpty, let rule = document["operatorName"]?.text {
            let reason = document["reason"]?.text.map { " (" + $0 + ")" } ?? ""
            found.append("field " + path.joined(separator: ".") + " breaks " + rule + reason)
        }
    }
}
