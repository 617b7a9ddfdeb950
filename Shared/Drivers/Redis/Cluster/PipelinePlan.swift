/// Sends the commands of a pipeline to the nodes that have their keys, and puts the answers back in order. A value: it is told what the nodes answered,
/// and tells what to send next.
package struct PipelinePlan: Sendable {
    /// A command, or one key's part of it.
    private struct Part: Sendable {
        let command: RedisCommand
        /// Nil when any node will do.
        let slot: Int?
        var target: Target = .owner
        var answer: RedisValue?
    }

    private enum Target: Sendable {
        /// As the map has it.
        case owner
        case moved(NodeAddress)
        case asked(NodeAddress)
    }

    /// What is to be sent to a node: each part with the commands for it, of whose answers the last is its own.
    package struct Errand: Equatable, Sendable {
        package let part: Int
        package let commands: [RedisCommand]
    }

    private let commands: [RedisCommand]
    /// For each command its parts.
    private var ranges: [Range<Int>] = []
    private var parts: [Part] = []

    package init(_ commands: [RedisCommand]) {
        self.commands = commands
        for command in commands {
            let begin = parts.count
            append(command)
            ranges.append(begin..<parts.count)
        }
    }

    private mutating func append(_ command: RedisCommand) {
        let keys = command.arguments[CommandKeys.places(command)]
        guard let first = keys.first else { return parts.append(Part(command: command, slot: nil)) }
        if CommandKeys.split(command.name) != nil {
            // Two keys of a slot could be on two nodes while it moves.
            for key in keys { parts.append(Part(command: RedisCommand(command.name, [key]), slot: KeySlot.of(key))) }
            return
        }
        let slot = KeySlot.of(first)
        let isOfOneSlot = keys.dropFirst().allSatisfy { KeySlot.of($0) == slot }
        let refusal = isOfOneSlot ? nil : RedisError(.cluster, operation: command.name, code: "CROSSSLOT", detail: "its keys are in several slots")
        parts.append(Part(command: command, slot: slot, answer: refusal.map(RedisValue.error)))
    }

    // MARK: Sending

    /// What has no answer yet, for each node in the commands' order. What no node has is refused.
    package mutating func errands(by map: SlotMap) -> [NodeAddress: [Errand]] {
        var errands: [NodeAddress: [Errand]] = [:]
        for (index, part) in parts.enumerated() where part.answer == nil {
            switch part.target {
            case .owner:
                if let node = part.slot.map(map.owner) ?? map.primaries.first {
                    errands[node, default: []].append(Errand(part: index, commands: [part.command]))
                } else {
                    let error = RedisError(.notReady, operation: part.command.name, detail: "no node of the cluster has the key's slot" + map.said)
                    parts[index].answer = .error(error)
                }
            case .moved(let node): errands[node, default: []].append(Errand(part: index, commands: [part.command]))
            case .asked(let node): errands[node, default: []].append(Errand(part: index, commands: [RedisCommand("ASKING"), part.command]))
            }
        }
        return errands
    }

    /// - Parameters:
    ///   - teller: the host of the node that answered.
    ///   - isLast: then a redirect is the answer.
    /// - Returns: where the node sent it.
    package mutating func take(_ answer: RedisValue, for part: Int, from teller: String, isLast: Bool) -> Redirect? {
        guard let redirect = answer.error.flatMap({ Redirect($0, toldBy: teller) }), !isLast else {
            parts[part].answer = answer
            return nil
        }
        switch redirect {
        case .moved(_, let node): parts[part].target = .moved(node)
        case .asked(let node): parts[part].target = .asked(node)
        case .again: break
        }
        return redirect
    }

    // MARK: Answers

    /// One for each command, in order; all parts have one.
    package var answers: [RedisValue] {
        zip(commands, ranges).map { command, range in
            let answers = parts[range].map { $0.answer ?? .null }
            guard let split = CommandKeys.split(command.name) else { return answers.first ?? .null }
            if let refused = answers.first(where: { $0.error != nil }) { return refused }
            switch split {
            case .values: return .array(answers.map { $0.array?.first ?? .null })
            case .sum: return .integer(answers.reduce(0) { $0 + ($1.integer ?? 0) })
            }
        }
    }
}
