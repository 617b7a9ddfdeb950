import ArgumentParser

extension CertificatesCommand {
    /// `farwatch certificates show`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one certificate: its chain, where it is and was, what is wrong and what to do.")

        @OptionGroup var options: CollectorOptions
        @Argument(help: "SHA-256 of its DER encoding, 64 hexadecimal digits.") var id: String

        func validate() throws {
            guard id.utf8.count == 64, id.allSatisfy(\.isHexDigit) else { throw ValidationError("An id is 64 hexadecimal digits.") }
        }

        private struct Answer: Decodable {
            struct Issuer: Decodable {
                let id: String
                let subject: String?
                let notAfter: String?

                enum CodingKeys: String, CodingKey {
                    case id, subject
                    case notAfter = "not_after"
                }
            }

            struct Past: Decodable {
                let device: String
                let path: String
                let from: String?
                let to: String?
                let replacedBy: String?

                enum CodingKeys: String, CodingKey {
                    case device, path, from, to
                    case replacedBy = "replaced_by"
                }
            }

            let subject: String
            let issuer: String
            let names: [String]
            let notAfter: String?
            let firstSeen: String?
            let lastSeen: String?
            let chain: [Issuer]
            let places: [CertificateAnswer]
            let history: [Past]

            enum CodingKeys: String, CodingKey {
                case subject, issuer, names, chain, places, history
                case notAfter = "not_after"
                case firstSeen = "first_seen"
                case lastSeen = "last_seen"
            }
        }

        func run() async throws {
            let answer = try await CollectorClient(options).get("/v1/certificates/" + id)
            let found = try answer.decoded(as: Answer.self)
            if options.json { return try Results.line(answer.text) }
            let facts = [
                ("subject", found.subject), ("issuer", found.issuer), ("names", found.names.joined(separator: ", ")),
                ("ends", found.notAfter ?? "nobody can tell"), ("seen", "\(found.firstSeen ?? "?") to \(found.lastSeen ?? "?")"),
            ]
            for (title, text) in facts { try Results.line(Table.printable(title + String(repeating: " ", count: 10 - title.count) + text)) }
            if !found.chain.isEmpty { try Table.show(["CHAIN", "ENDS"], found.chain.map { [$0.subject ?? $0.id, $0.notAfter ?? "-"] }) }
            if !found.places.isEmpty { try Table.show(CertificateAnswer.titles, found.places.map { $0.row }) }
            let served = found.places.compactMap { $0.servedRow }
            if !served.isEmpty { try Table.show(CertificateAnswer.servedTitles, served) }
            try showFindings(found.places)
            guard !found.history.isEmpty else { return }
            try Table.show(
                ["WAS ON", "PATH", "FROM", "TO", "REPLACED BY"],
                found.history.map { [$0.device, $0.path, $0.from ?? "?", $0.to ?? "?", $0.replacedBy ?? "-"] })
        }

        /// Each code once: what is wrong is mostly the same wherever it lies.
        private func showFindings(_ places: [CertificateAnswer]) throws {
            var shown: Set<String> = []
            for finding in places.flatMap({ $0.findings }) where shown.insert(finding.code).inserted {
                try Results.line(Table.printable("\(finding.severity): \(finding.code)" + (finding.detail.map { " (\($0))" } ?? "")))
                for sentence in [finding.why, finding.fix].compactMap(\.self) { try Results.line(Table.printable("    " + sentence)) }
            }
        }
    }
}
