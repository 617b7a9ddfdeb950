/// Which of a command's arguments are keys, for the commands that are used here.
enum CommandKeys {
    /// Commands of which each key can be a command of its own, and how the answers become one.
    enum Split: Equatable {
        /// Arrays of one value each.
        case values
        /// Counts.
        case sum
    }

    static func split(_ name: String) -> Split? {
        switch name {
        case "MGET": .values
        case "UNLINK", "DEL", "EXISTS", "TOUCH": .sum
        default: nil
        }
    }

    /// Their places; empty for a command that any node can do. A command that is not known here is taken to have its key first, as nearly all have.
    static func places(_ command: RedisCommand) -> Range<Int> {
        let count = command.arguments.count
        switch command.name {
        case "PING", "TIME", "INFO", "DBSIZE", "SCAN", "ECHO", "MULTI", "EXEC", "ASKING", "FLUSHALL": return 0..<0
        case "EVAL", "EVALSHA":
            guard count >= 2, let keys = Int(String(decoding: command.arguments[1], as: UTF8.self)), (0...count - 2).contains(keys) else {
                return 0..<0
            }
            return 2..<2 + keys
        case let name where split(name) != nil: return 0..<count
        // `CLIENT ID`, `SCRIPT LOAD`, `CLUSTER SLOTS`: two words.
        case let name where name.contains(" "): return 0..<0
        default: return 0..<min(1, count)
        }
    }
}
