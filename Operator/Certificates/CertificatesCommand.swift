import ArgumentParser
import LinuxDriver
import Telemetry

/// `farwatch certificates`.
struct CertificatesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certificates", abstract: "The fleet's certificates: what there is, what is wrong with it, and what ends when.",
        subcommands: [List.self, Show.self, Calendar.self, Keys.self, BlastRadiusCommand.self, ValidateCommand.self], defaultSubcommand: List.self)

    /// `farwatch certificates list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List certificates where they lie, soonest expiry first.")

        @OptionGroup var options: CollectorOptions
        @Option(help: "Only those of this device.") var device: DeviceId?
        @Option(help: "Only those that are critical, problem, unknown or ok, by their worst finding.") var status: String?
        @Option(help: "Only those that are expired, not_yet_valid, untrusted, expiring or ok, by their dates and trust.") var validity: String?
        @Option(help: "Only those that have a finding of this code, such as weak_key.") var finding: String?
        @Option(help: "Only those of this issuer, its whole name on one line.") var issuer: String?
        @Option(help: "Only those of this key: SHA-256 of its encoding.") var key: String?
        @Option(help: "Only those that end within so many days.") var expiresWithin: Int?
        @Flag(help: "Only those that are served, and lie in no file of the device.") var servedNotOnDisk = false

        private struct Page: Decodable {
            let certificates: [CertificateAnswer]
            let next: String?
        }

        private var query: [(String, String?)] {
            [
                ("device", device?.text), ("status", status), ("validity", validity), ("finding", finding), ("issuer", issuer), ("key", key),
                ("expires_within", expiresWithin.map(String.init)), ("served_not_on_disk", servedNotOnDisk ? "true" : nil),
            ]
        }

        func run() async throws {
            let client = try CollectorClient(options)
            var rows: [[String]] = []
            var after: String?
            repeat {
                let answer = try await client.get("/v1/certificates", query + [("after", after)])
                let page = try answer.decoded(as: Page.self)
                // A page a line.
                if options.json { try Results.line(answer.text) }
                rows += page.certificates.map { $0.row }
                after = page.next
            } while after != nil
            guard !options.json else { return }
            guard !rows.isEmpty else { return try Results.line("There is no such certificate.") }
            try Table.show(CertificateAnswer.titles, rows)
        }
    }

    /// `farwatch certificates calendar`.
    struct Calendar: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "What ends, or stops working since an issuer ends, on which day.")

        @OptionGroup var options: CollectorOptions
        @Option(help: "How many days to look ahead; a year when not given.") var days: Int?

        private struct Answer: Decodable {
            struct Day: Decodable {
                let date: String
                let devices: [String]
                let sites: [LabelAnswer]
                let groups: [LabelAnswer]
                let certificates: [CertificateAnswer]
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
                try Table.show(["  DEVICE", "PATH", "SUBJECT"], day.certificates.map { ["  " + $0.device, $0.path, $0.subject] })
            }
            if calendar.cut { try Results.line("There is more than the collector looks at once.") }
        }
    }

    /// `farwatch certificates keys`.
    struct Keys: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keys that more than one device has.", discussion: "Exits with 1 when a private key lies on several devices.")

        @OptionGroup var options: CollectorOptions

        private struct Answer: Decodable {
            struct Key: Decodable {
                let id: String
                let severity: String
                let certificates: [String]
                let devices: [String]
                let holders: [String]

                enum CodingKeys: String, CodingKey {
                    case severity, certificates, devices
                    case id = "key_id"
                    case holders = "private_key_on"
                }
            }

            let keys: [Key]
        }

        func run() async throws {
            let answer = try await CollectorClient(options).get("/v1/certificates/keys")
            let keys = try answer.decoded(as: Answer.self).keys
            if options.json {
                try Results.line(answer.text)
            } else if keys.isEmpty {
                try Results.line("Each key is on one device.")
            } else {
                try Table.show(
                    ["SEVERITY", "PRIVATE KEY ON", "DEVICES", "CERTIFICATES", "KEY"],
                    keys.map {
                        [$0.severity, $0.holders.joined(separator: ","), $0.devices.joined(separator: ","), "\($0.certificates.count)", $0.id]
                    })
            }
            if keys.contains(where: { $0.severity == "critical" }) { throw Exit.notSo }
        }
    }
}
