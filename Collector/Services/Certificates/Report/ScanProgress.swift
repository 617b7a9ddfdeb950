import DocumentStores

/// How far a device's newest scan has come in: the document of `certificateScans`.
struct ScanProgress: Equatable {
    let scan: Int64
    let parts: Int64
    private(set) var seen: Set<Int64>
    private(set) var problems: [JSONValue]

    var isComplete: Bool { Int64(seen.count) >= parts }

    private init(scan: Int64, parts: Int64, seen: Set<Int64>, problems: [JSONValue]) {
        self.scan = scan
        self.parts = parts
        self.seen = seen
        self.problems = problems
    }

    init(_ document: Document) {
        scan = document["scan"]?.integer ?? 0
        parts = document["parts"]?.integer ?? 1
        seen = Set((document["seen"]?.array ?? []).compactMap { $0.integer })
        problems = document["problems"]?.array ?? []
    }

    /// The progress with a report's part; nil when a newer scan has begun to come in, whose word stands.
    static func after(_ stored: ScanProgress?, _ report: CertificateReport) -> ScanProgress? {
        guard let stored, stored.scan >= report.scan else {
            return ScanProgress(
                scan: report.scan, parts: report.parts, seen: [report.part], problems: Array(report.problems.prefix(CertificateReport.problemsMax)))
        }
        guard stored.scan == report.scan else { return nil }
        var progress = ScanProgress(scan: stored.scan, parts: report.parts, seen: stored.seen, problems: stored.problems)
        if progress.seen.insert(report.part).inserted {
            progress.problems = Array((progress.problems + report.problems).prefix(CertificateReport.problemsMax))
        }
        return progress
    }

    func document(of device: String) -> Document {
        let seen = JSONValue.array(seen.sorted().map { .integer($0) })
        return Document(device, ["scan": .integer(scan), "parts": .integer(parts), "seen": seen, "problems": .array(problems)])
    }
}
