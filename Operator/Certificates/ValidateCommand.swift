import ArgumentParser
import LinuxDriver

/// `farwatch certificates validate`.
struct ValidateCommand: AsyncParsableCommand {
    /// What the collector takes.
    private static let bytesMax = 256 * 1024

    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Have the collector look at certificates in a file.",
        discussion: "PEM or DER, the leaf first. Exits with 1 when something is wrong with them.")

    @OptionGroup var options: CollectorOptions
    @Argument(help: "The file.", completion: .file()) var file: String
    @Option(help: "By whose rules: webpki, or device for a private PKI; webpki when not given.") var profile: String?
    @Option(help: "Which roots are trusted: system, the collector's; or given, those in the file. system when not given.") var trust: String?
    @Option(help: "The name that the first certificate is to be good for.") var hostname: String?
    @Option(parsing: .unconditional, help: "As of this time: RFC 3339, or a date; now when not given.") var at: String?

    private struct Answer: Decodable {
        struct Certificate: Decodable {
            let subject: String
            let score: Int64?
            let trusted: Bool
            let trustError: String?
            let findings: [CertificateAnswer.Finding]

            enum CodingKeys: String, CodingKey {
                case subject, score, trusted, findings
                case trustError = "trust_error"
            }
        }

        let verdict: String
        let certificates: [Certificate]
        let problems: [String]
    }

    func run() async throws {
        let bytes: [UInt8]
        do { bytes = try SmallFile.read(file, limit: Self.bytesMax) } catch {
            Output.errorLine("farwatch: " + Table.printable("\(error)"))
            throw Exit.notFound
        }
        let query = [("profile", profile), ("trust", trust), ("hostname", hostname), ("at", at)]
        let answer = try await CollectorClient(options).post("/v1/certificates/validate", query, body: bytes)
        let report = try answer.decoded(as: Answer.self)
        if options.json { try Results.line(answer.text) } else { try show(report) }
        if report.verdict != "ok" { throw Exit.notSo }
    }

    private func show(_ report: Answer) throws {
        for one in report.certificates {
            let trust = one.trusted ? "trusted" : one.trustError ?? "not trusted"
            try Results.line(Table.printable("\(one.subject)  score \(one.score.map(String.init) ?? "-"), \(trust)"))
            for finding in one.findings {
                try Results.line(Table.printable("  \(finding.severity): \(finding.code)" + (finding.detail.map { " (\($0))" } ?? "")))
                for sentence in [finding.why, finding.fix].compactMap(\.self) { try Results.line(Table.printable("      " + sentence)) }
            }
        }
        for problem in report.problems { try Results.line(Table.printable("not read: " + problem)) }
        try Results.line(report.verdict)
    }
}
