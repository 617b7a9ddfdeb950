import ArgumentParser
import LinuxDriver
import Telemetry

/// `farwatch devices completeness`.
struct CompletenessCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completeness", abstract: "What of a range of time is stored, thinned, evicted, still on the device, or unknown.",
        discussion: "Without a device, a line for each of the fleet. Exits with 0 when nothing is missing, with 1 when something is.")

    @OptionGroup var options: CollectorOptions
    @Argument(help: "The device's id; all of them when not given.") var device: DeviceId?
    @Option(parsing: .unconditional, help: "RFC 3339, a date, seconds since 1970, or how long ago such as 1h; a day before --to when not given.")
    var from: String?
    @Option(parsing: .unconditional, help: "The same; now when not given.") var to: String?

    private var range: [(String, String?)] { [("from", from), ("to", to)] }

    func run() async throws {
        let client = try CollectorClient(options)
        let isComplete = if let device { try await showDevice(device, client) } else { try await showFleet(client) }
        if !isComplete { throw Exit.notSo }
    }

    private func showDevice(_ device: DeviceId, _ client: CollectorClient) async throws -> Bool {
        let answer = try await client.get("/v1/devices/\(device)/completeness", range)
        let found = try answer.decoded(as: CompletenessAnswer.self)
        if options.json { try Results.line(answer.text) } else { try found.show() }
        return found.complete
    }

    private func showFleet(_ client: CollectorClient) async throws -> Bool {
        var isComplete = true
        var rows: [[String]] = []
        var after: String?
        repeat {
            let answer = try await client.get("/v1/completeness", range + [("after", after)])
            let page = try answer.decoded(as: FleetCompleteness.self)
            isComplete = isComplete && page.devices.allSatisfy { $0.answer?.complete == true }
            // A page a line.
            if options.json { try Results.line(answer.text) }
            rows += page.devices.map { member in
                guard let answer = member.answer else { return [member.device, "?"] + CompletenessAnswer.states.map { _ in "-" } }
                return [member.device, answer.complete ? "yes" : "no"] + CompletenessAnswer.states.map { answer.share(of: $0.name) }
            }
            for member in page.devices {
                if let error = member.error { Output.errorLine("farwatch: \(member.device): \(error)") }
            }
            after = page.next
        } while after != nil
        if !options.json { try Table.show(["DEVICE", "COMPLETE"] + CompletenessAnswer.states.map { $0.title.uppercased() }, rows) }
        return isComplete
    }
}

/// A page of `/v1/completeness`.
private struct FleetCompleteness: Decodable {
    let devices: [FleetMember]
    let next: String?
}

/// A device of it: what is known, or why it is not told.
private struct FleetMember: Decodable {
    private enum Key: CodingKey { case device, error }

    let device: String
    let error: String?
    let answer: CompletenessAnswer?

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Key.self)
        device = try members.decode(String.self, forKey: .device)
        error = try members.decodeIfPresent(String.self, forKey: .error)
        answer = error == nil ? try CompletenessAnswer(from: decoder) : nil
    }
}
