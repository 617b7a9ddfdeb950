import ArgumentParser
import LinuxDriver

/// `farwatch quarantine`.
struct QuarantineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine", abstract: "What the collector refused: look at it, play it again, throw it away.",
        subcommands: [List.self, Show.self, Replay.self, Delete.self], defaultSubcommand: List.self)

    /// Which items are meant.
    struct Filter: ParsableArguments {
        @Option(help: "Only items of this device.") var device: String?
        @Option(help: "Only items whose reason has this name, such as too_late.") var reason: String?

        var query: [(String, String?)] { [("device", device), ("reason", reason)] }
    }

    struct Item: Decodable {
        let id: Int64
        let device: String
        let reason: String
        let at: String
        let bytes: Int
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
                if options.json { Output.line(answer.text) }
                rows += page.items.map { ["\($0.id)", $0.at, $0.device, "\($0.bytes)", $0.reason] }
                before = page.next
            } while before != nil
            guard !options.json else { return }
            if rows.isEmpty { Output.line("There is nothing in quarantine.") } else { Table.show(["ID", "AT", "DEVICE", "BYTES", "REASON"], rows) }
        }
    }

    /// `farwatch quarantine show`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show an item: why it was refused, its bytes, and what reading them gives.")

        @OptionGroup var options: CollectorOptions
        @Argument(help: "The item's id.") var id: Int64

        func run() async throws {
            // There is more in it than a table shows.
            Output.line(try await CollectorClient(options).get("/v1/quarantine/\(id)").text)
        }
    }

    /// `farwatch quarantine delete`.
    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Throw items away.")

        @OptionGroup var options: CollectorOptions
        @Argument(help: "The items' ids.") var ids: [Int64]

        func run() async throws {
            let client = try CollectorClient(options)
            for id in ids { _ = try await client.delete("/v1/quarantine/\(id)") }
            if !options.json { Output.line(ids.count == 1 ? "Deleted 1 item." : "Deleted \(ids.count) items.") }
        }
    }
}
