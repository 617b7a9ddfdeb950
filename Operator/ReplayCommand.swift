import ArgumentParser

extension QuarantineCommand {
    /// `farwatch quarantine replay`.
    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Judge items anew and store those that may come in now.",
            discussion: "Each is stored once, however often it is replayed. Exits with 1 when one is refused again, which stays where it is.")

        @OptionGroup var options: CollectorOptions
        @OptionGroup var filter: Filter
        @Flag(help: "All items, or all that the filter lets through.") var all = false
        @Argument(help: "The items' ids.") var ids: [Int64] = []

        func validate() throws {
            guard all == ids.isEmpty else { throw ValidationError("Name items by their ids, or all of them with --all.") }
            guard all || filter.isEmpty else { throw ValidationError("--device and --reason choose among --all.") }
            try ItemArguments.check(ids)
        }

        private struct One: Decodable {
            let id: Int64
            let outcome: String
            let samples: Int64?
            let reason: String?
        }

        private struct Summary: Decodable {
            let committed: Int
            let duplicates: Int
            let refused: Int
        }

        func run() async throws {
            let client = try CollectorClient(options)
            let isRefused = if all { try await replayAll(client) } else { try await replayEach(client) }
            if isRefused { throw Exit.notSo }
        }

        private func replayAll(_ client: CollectorClient) async throws -> Bool {
            let answer = try await client.post("/v1/quarantine/replay", filter.query)
            let summary = try answer.decoded(as: Summary.self)
            let text = "\(summary.committed) stored, \(summary.duplicates) stored already, \(summary.refused) refused again"
            try Results.line(options.json ? answer.text : text)
            return summary.refused > 0
        }

        private func replayEach(_ client: CollectorClient) async throws -> Bool {
            var isRefused = false
            try await ItemArguments.each(ids) { id in
                let answer = try await client.post("/v1/quarantine/\(id)/replay")
                let one = try answer.decoded(as: One.self)
                isRefused = isRefused || one.outcome == "refused"
                try Results.line(options.json ? answer.text : Table.printable("\(id): " + Self.text(of: one)))
            }
            return isRefused
        }

        private static func text(of one: One) -> String {
            switch one.outcome {
            case "committed": "stored" + (one.samples.map { $0 > 0 ? ", \($0) samples" : "" } ?? "")
            case "duplicate": "stored already"
            default: "refused again: " + (one.reason ?? "")
            }
        }
    }
}
