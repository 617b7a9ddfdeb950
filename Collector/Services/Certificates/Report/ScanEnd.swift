import DocumentStores

/// What follows when all parts of a device's scan are there: what older scans had found and this one has not is history, and for what is served it is
/// known whether it lies on the disk too.
struct ScanEnd {
    let device: String
    let scan: Int64
    /// All places of the device.
    let places: [Document]

    private var gone: [Document] { places.filter { isOlder($0) } }
    private var present: [Document] { places.filter { !isOlder($0) } }
    /// Of what is gone.
    var keys: Set<String> { Set(gone.compactMap { $0["keyId"]?.text }) }

    private func isOlder(_ place: Document) -> Bool { (place["scan"]?.integer ?? .min) < scan }

    /// - Parameter historyMax: places that are kept after they are gone, all devices together.
    func changes(historyMax: Int) -> [DocumentChange] {
        var changes = flags().map { DocumentChange.upsertUnlessOlder($0, by: "scan", in: .certificatePlaces) }
        guard !gone.isEmpty else { return changes }
        changes += gone.compactMap(history).map { .upsert($0, in: .certificateHistory) }
        changes.append(.keepGreatest(historyMax, by: "to", in: .certificateHistory))
        changes.append(.deleteAll([.equals("device", .string(device)), .less("scan", .integer(scan))], in: .certificatePlaces))
        return changes
    }

    /// A place that is no more, and what has come in its stead: another certificate of the same subject at the same path.
    private func history(_ place: Document) -> Document? {
        guard let path = place["path"], let certificate = place["certificate"], let subject = place["subject"] else { return nil }
        let from = place["firstSeen"]?.integer ?? place["seenAt"]?.integer ?? scan
        var body: [String: JSONValue] = [
            "device": .string(device), "path": path, "certificate": certificate, "subject": subject, "from": .integer(from), "to": .integer(scan),
            "source": place["source"] ?? "file",
        ]
        if let notAfter = place["notAfter"] { body["notAfter"] = notAfter }
        let successors = present.filter {
            $0["path"] == path && $0["subject"] == subject && $0["certificate"] != certificate && $0["firstSeen"]?.integer == scan
        }
        let successor = successors.max { ($0["notAfter"]?.integer ?? .min, $0.id) < ($1["notAfter"]?.integer ?? .min, $1.id) }
        if let successor = successor?["certificate"] { body["replacedBy"] = successor }
        return Document(place.id + "|" + String(from), .object(body))
    }

    /// Places of what is served that do not say yet whether it lies in no file of the device, as they are to be.
    private func flags() -> [Document] {
        let onDisk = Set(present.filter { $0["source"]?.text != "endpoint" }.compactMap { $0["certificate"]?.text })
        return present.compactMap { place in
            guard place["source"]?.text == "endpoint", let id = place["certificate"]?.text, case .object(var body) = place.body else { return nil }
            let isServedOnly = !onDisk.contains(id)
            guard place["servedOnly"]?.bool != isServedOnly else { return nil }
            body["servedOnly"] = .bool(isServedOnly)
            return Document(place.id, .object(body))
        }
    }
}
