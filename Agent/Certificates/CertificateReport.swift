import CertificateInspection
import LinuxDriver
import Telemetry

/// A scan's result as the JSON documents that the device sends, split into parts that each fit a batch.
package enum CertificateReport {
    /// A document's size, bytes of UTF-8: a batch of 64 KiB holds it with room for its header.
    package static let documentBytesMax = 48 * 1024

    /// All documents of a report at once. `at` is the scan's time, milliseconds since 1970, which also names the scan.
    package static func documents(
        records: [CertificateRecord], issuers: [CertificateRecord] = [], served: EndpointReport = EndpointReport(), problems: [CertificateProblem],
        keys: [BareKey] = [], device: DeviceId, at: Int64, clockIsTrustworthy: Bool = true
    ) -> [String] {
        var documents: [String] = []
        forEachDocument(
            records: records, issuers: issuers, served: served, problems: problems, keys: keys, device: device, at: at,
            clockIsTrustworthy: clockIsTrustworthy
        ) { documents.append($0) }
        return documents
    }

    /// Hands over one document after the other, so that only one stands in memory.
    package static func forEachDocument(
        records: [CertificateRecord], issuers: [CertificateRecord], served: EndpointReport, problems: [CertificateProblem], keys: [BareKey],
        device: DeviceId, at: Int64, clockIsTrustworthy: Bool, _ body: (String) -> Void
    ) {
        // Every item is written twice, first for its size alone: cheaper than to keep them all.
        let problems = problems + served.problems
        let certificates = records.count + served.certificates.count
        let told = certificates + problems.count
        let authorities =
            away(issuers, from: records).map { $0.json(at: at, clockIsTrustworthy: clockIsTrustworthy) } + served.authorities
        let named = told + authorities.count
        let item: (Int) -> String = { index in
            if index < records.count { return records[index].json(at: at, clockIsTrustworthy: clockIsTrustworthy) }
            if index < certificates { return served.certificates[index - records.count] }
            if index < told { return json(of: problems[index - certificates]) }
            return index < named ? authorities[index - told] : keys[index - named].json
        }
        let envelope = Envelope(device: device, at: at, hasKeys: !keys.isEmpty)
        let room = documentBytesMax - envelope.bytesMax
        let parts = partition((0..<named + keys.count).lazy.map { item($0).utf8.count }, room: room)
        for (index, part) in parts.enumerated() {
            body(
                envelope.document(
                    part: index + 1, of: parts.count, certificates: part.clamped(to: 0..<certificates),
                    problems: part.clamped(to: certificates..<told), authorities: part.clamped(to: told..<named),
                    keys: part.clamped(to: named..<named + keys.count), item))
        }
    }

    /// Issuers that the chains of records have and that lie in none of the files.
    private static func away(_ issuers: [CertificateRecord], from records: [CertificateRecord]) -> [CertificateRecord] {
        guard !issuers.isEmpty else { return [] }
        // How often a chain has each; what lies in a file counts for none.
        var chains: [String: Int] = [:]
        for issuer in issuers { chains[issuer.id] = 0 }
        for record in records {
            for id in record.assessment.chain { if let count = chains[id] { chains[id] = count + 1 } }
        }
        for record in records where chains[record.id] != nil { chains[record.id] = 0 }
        return issuers.filter { chains[$0.id] ?? 0 > 0 }
    }

    /// Splits items of such sizes into runs that fit `room` bytes with a comma each; at least one run, so that a scan that found nothing is told too.
    static func partition(_ sizes: some Sequence<Int>, room: Int) -> [Range<Int>] {
        var parts: [Range<Int>] = []
        var start = 0
        var end = 0
        var filled = 0
        for size in sizes {
            if filled + size + 1 > room && end > start {
                parts.append(start..<end)
                start = end
                filled = 0
            }
            filled += size + 1
            end += 1
        }
        parts.append(start..<end)
        return parts
    }

    static func json(of problem: CertificateProblem) -> String {
        var writer = JSONWriter()
        writer.object { object in
            object.string("path", problem.path)
            object.string("reason", problem.text)
        }
        return writer.text
    }
}

/// What surrounds the items of each part.
private struct Envelope {
    let device: DeviceId
    let at: Int64
    /// Some part has keys; where none has, the member is left out.
    let hasKeys: Bool

    /// The size of the envelope with the longest part numbers there can be.
    var bytesMax: Int {
        document(part: .max, of: .max, certificates: 0..<0, problems: 0..<0, authorities: 0..<0, keys: 0..<0) { _ in "" }.utf8.count
    }

    func document(
        part: Int, of parts: Int, certificates: Range<Int>, problems: Range<Int>, authorities: Range<Int>, keys: Range<Int>,
        _ item: (Int) -> String
    ) -> String {
        var writer = JSONWriter()
        writer.object { object in
            object.string("type", "certificate_report")
            object.string("device", device.text)
            object.integer("scan", at)
            object.string("at", Timestamp.text(at))
            object.integer("part", Int64(part))
            object.integer("parts", Int64(parts))
            object.array("certificates") { array in
                for index in certificates { array.raw(nil, item(index)) }
            }
            object.array("problems") { array in
                for index in problems { array.raw(nil, item(index)) }
            }
            object.array("authorities") { array in
                for index in authorities { array.raw(nil, item(index)) }
            }
            guard hasKeys else { return }
            object.array("keys") { array in
                for index in keys { array.raw(nil, item(index)) }
            }
        }
        return writer.text
    }
}
