import ArgumentParser
import Telemetry

/// `farwatch quarantine`.
struct QuarantineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine", abstract: "What the collector refused: look at it, play it again, throw it away.",
        subcommands: [List.self, Show.self, Replay.self, Delete.self], defaultSubcommand: List.self)

    /// Which items are meant.
    struct Filter: ParsableArguments {
        @Option(help: "Only items of this device.") var device: DeviceId?
        @Option(help: "Only items whose reason has this name, such as too_late.") var reason: String?

        func validate() throws {
            guard reason != "" else { throw ValidationError("--reason is empty, and would stand for every reason.") }
        }

        var isEmpty: Bool { device == nil && reason == nil }
        var query: [(String, String?)] { [("device", device?.text), ("reason", reason)] }
    }

    struct Item: Decodable {
        let id: Int64
        let device: String
        let reason: String
        let at: String
        let bytes: Int
        /// There were more bytes than are kept.
        let cut: Bool
    }

    /// `farwatch quarantine list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List what was refused, newest first.")

        @OptionGroup var options: CollectorOptions
        @OptionGroup var filter: Filter

        private struct Page: Decodable {
            let items: [Item]
            let next: Int64?
        }

        func run() async throws {
            let client = try CollectorClient(options)
            var rows: [[String]] = []
            var before: Int64?
            repeat {
                let answer = try await client.get("/v1/quarantine", filter.query + [("before", before.map(String.init))])
                let page = try answer.decoded(as: Page.self)
                // A page a line.
                if options.json { try Results.line(answer.text) }
                rows += page.items.map { ["\($0.id)", $0.at, $0.device, ($0.cut ? ">" : "") + "\($0.bytes)", $0.reason] }
                before = page.next
            } while before != nil
            guard !options.json else { return }
            guard !rows.isEmpty else { return try Results.line("There is nothing in quarantine.") }
            try Table.show(["ID", "AT", "DEVICE", "BYTES", "REASON"], rows)
        }
    }

    /// `farwatch quarantine show`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show items: why each was refused, its bytes, and what reading them gives.", discussion: "An item a line, as JSON.")

        @OptionGroup var options: CollectorOptions
        @OptionGroup var items: ItemArguments

        func run() async throws {
            let client = try CollectorClient(options)
            try await items.each { id in
                let answer = try await client.get("/v1/quarantine/\(id)")
                _ = try answer.decoded(as: Item.self)
                // There is more in it than a table shows.
                try Results.line(answer.text)
            }
        }
    }

    /// `farwatch quarantine delete`.
    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Throw items away.")

        @OptionGroup var options: CollectorOptions
        @OptionGroup var items: ItemArguments

        func run() async throws {
            let client = try CollectorClient(options)
            try await items.each { id in
                try await client.delete("/v1/quarantine/\(id)")
                if !options.json { try Results.line("\(id): deleted") }
            }
        }
    }
}
