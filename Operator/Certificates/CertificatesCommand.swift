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
        @Option(parsing: .unconditional, help: "Only those that end within so many days, 1 to 36500.") var expiresWithin: Int?
        @Flag(help: "Only those that are served, and lie in no file of the device.") var servedNotOnDisk = false

        func validate() throws {
            guard let expiresWithin, !(1...36_500).contains(expiresWithin) else { return }
            throw ValidationError("--expires-within is a number of days, 1 to 36500.")
        }

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
