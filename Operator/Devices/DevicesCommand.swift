import ArgumentParser

/// `farwatch devices`.
struct DevicesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices", abstract: "The fleet's devices.", subcommands: [List.self, LabelCommand.self, CompletenessCommand.self],
        defaultSubcommand: List.self)

    /// `farwatch devices list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the devices.")

        @OptionGroup var options: CollectorOptions

        private struct Devices: Decodable {
            struct Device: Decodable {
                let id: String
                let status: String
                let lastSeen: String?

                enum CodingKeys: String, CodingKey {
                    case id, status
                    case lastSeen = "last_seen"
                }
            }

            let devices: [Device]
        }

        func run() async throws {
            let answer = try await CollectorClient(options).get("/v1/devices")
            let devices = try answer.decoded(as: Devices.self).devices
            if options.json { return try Results.line(answer.text) }
            if devices.isEmpty { return try Results.line("No device has delivered anything yet.") }
            try Table.show(["DEVICE", "STATUS", "LAST SEEN"], devices.map { [$0.id, $0.status, $0.lastSeen ?? "never"] })
        }
    }
}
