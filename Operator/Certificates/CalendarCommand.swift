import ArgumentParser

extension CertificatesCommand {
    /// `farwatch certificates calendar`.
    struct Calendar: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "What ends, or stops working since an issuer ends, on which day.")

        @OptionGroup var options: CollectorOptions
        @Option(parsing: .unconditional, help: "How many days to look ahead, 1 to 36500; a year when not given.") var days: Int?

        func validate() throws {
            guard let days, !(1...36_500).contains(days) else { return }
            throw ValidationError("--days is a number of days, 1 to 36500.")
        }

        private struct Answer: Decodable {
            struct Day: Decodable {
                let date: String
                let devices: [String]
                let sites: [LabelAnswer]
                let groups: [LabelAnswer]
                let certificates: [CertificateAnswer]
                /// Of certificates that stop working since an issuer ends: whose end it is.
                let becauseOf: [String: String]

                enum CodingKeys: String, CodingKey {
                    case date, devices, sites, groups, certificates
                    case becauseOf = "because_of"
                }

                /// The issuer with which a certificate stops working, by name where one is told; nil when it ends by itself.
                private func cause(of certificate: CertificateAnswer) -> String? {
                    guard let id = becauseOf[certificate.id] else { return nil }
                    return certificates.first { $0.id == id }?.subject ?? (certificate.chain.first == id ? certificate.issuer : id)
                }

                func row(_ certificate: CertificateAnswer) -> [String] {
                    let end = cause(of: certificate).map { "issuer ends: " + $0 } ?? "ends"
                    return ["  " + certificate.device, certificate.path, certificate.subject, end, String((certificate.notAfter ?? "-").prefix(10))]
                }
            }

            let days: [Day]
            let cut: Bool
        }

        func run() async throws {
            let answer = try await CollectorClient(options).get("/v1/certificates/calendar", [("days", days.map(String.init))])
            let calendar = try answer.decoded(as: Answer.self)
            if options.json { return try Results.line(answer.text) }
            if calendar.days.isEmpty { return try Results.line("Nothing ends.") }
            for day in calendar.days {
                try Results.line(
                    Table.printable("\(day.date.prefix(10))  " + LabelAnswer.count(Set(day.certificates.map { $0.id }).count, day.devices.count)))
                for line in [LabelAnswer.line("  sites ", day.sites), LabelAnswer.line("  groups", day.groups)].compactMap(\.self) {
                    try Results.line(line)
                }
                try Table.show(["  DEVICE", "PATH", "SUBJECT", "WHY", "OWN END"], day.certificates.map { day.row($0) })
            }
            if calendar.cut { try Results.line("There is more than the collector looks at once.") }
        }
    }
}
