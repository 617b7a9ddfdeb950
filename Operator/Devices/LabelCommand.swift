import ArgumentParser
import Foundation
import Telemetry

/// `farwatch devices label`.
struct LabelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "label", abstract: "Say what a device is called by: its site, its group, and whatever else.",
        discussion: "The labels given take the place of those it had; without any it has none.")

    @OptionGroup var options: CollectorOptions
    @Argument(help: "The device's id.") var device: DeviceId
    @Argument(help: "Labels, each NAME=VALUE; `site` and `group` are what calendars count by.") var labels: [String] = []

    private func parsed() throws -> [String: String] {
        var parsed: [String: String] = [:]
        for label in labels {
            let parts = label.split(separator: "=", maxSplits: 1).map { String($0) }
            guard parts.count == 2, parsed.updateValue(parts[1], forKey: parts[0]) == nil else {
                throw ValidationError("A label is NAME=VALUE, each name once, not \(label).")
            }
        }
        return parsed
    }

    func validate() throws { _ = try parsed() }

    func run() async throws {
        let body = try JSONEncoder().encode(try parsed())
        let answer = try await CollectorClient(options).put("/v1/devices/\(device)/labels", body: Array(body))
        let labels = try answer.decoded(as: [String: String].self)
        if options.json { return try Results.line(answer.text) }
        let texts = labels.sorted { $0.key < $1.key }.map { Table.printable("\($0.key)=\($0.value)") }
        try Results.line(labels.isEmpty ? "\(device) has no labels" : texts.joined(separator: " "))
    }
}
