import ArgumentParser

/// `farwatch certificates blast-radius`.
struct BlastRadiusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "blast-radius",
        abstract: "Which devices and services stop working on the last day of a certificate: an authority's, or any other.")

    @OptionGroup var options: CollectorOptions
    @Argument(help: "SHA-256 of its DER encoding, 64 hexadecimal digits.") var id: String

    func validate() throws {
        guard id.utf8.count == 64, id.allSatisfy(\.isHexDigit) else { throw ValidationError("An id is 64 hexadecimal digits.") }
    }

    private struct Answer: Decodable {
        struct Others: Decodable { let certificates: [CertificateAnswer] }

        let subject: String
        let notAfter: String?
        let devices: [String]
        let sites: [LabelAnswer]
        let groups: [LabelAnswer]
        let certificates: [CertificateAnswer]
        let endingBefore: Others
        let cut: Bool

        enum CodingKeys: String, CodingKey {
            case subject, devices, sites, groups, certificates, cut
            case notAfter = "not_after"
            case endingBefore = "ending_before"
        }
    }

    /// How many of what ends earlier are named; `--json` has all.
    private static let earlierShown = 20

    private func showEarlier(_ others: [CertificateAnswer]) throws {
        guard !others.isEmpty else { return }
        try Results.line("What hangs on it and ends before it does, by itself or with another issuer: \(others.count).")
        try Table.show(CertificateAnswer.titles, others.prefix(Self.earlierShown).map { $0.row })
        if others.count > Self.earlierShown { try Results.line("and \(others.count - Self.earlierShown) more") }
    }

    func run() async throws {
        let answer = try await CollectorClient(options).get("/v1/certificates/\(id)/blast-radius")
        let found = try answer.decoded(as: Answer.self)
        if options.json { return try Results.line(answer.text) }
        let end = found.notAfter.map { "ends on \($0)" } ?? "ends when nobody has told"
        try Results.line(Table.printable("\(found.subject.isEmpty ? id : found.subject) \(end)."))
        try Results.line("What stops working then: " + LabelAnswer.count(Set(found.certificates.map { $0.id }).count, found.devices.count) + ".")
        for line in [LabelAnswer.line("sites ", found.sites), LabelAnswer.line("groups", found.groups)].compactMap(\.self) { try Results.line(line) }
        if !found.certificates.isEmpty { try Table.show(CertificateAnswer.titles, found.certificates.map { $0.row }) }
        try showEarlier(found.endingBefore.certificates)
        if found.cut { try Results.line("There are more than the collector looks at once.") }
    }
}
