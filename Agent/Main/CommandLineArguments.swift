/// The command line, read by hand: the agent links no argument parser.
enum CommandLineArguments {
    enum Command {
        case run
        case status
        case sample
        case checkConfig
    }

    struct Options {
        var config: String?
        var json = false
    }

    case command(Command, Options)
    case help
    case version
    case wrong(String)

    static func parse(_ arguments: [String]) -> CommandLineArguments {
        var command: Command?
        var options = Options()
        var index = 0
        while index < arguments.count {
            let argument = arguments[index]
            index += 1
            switch argument {
            case "--help", "-h", "help": return .help
            case "--version": return .version
            case "--json": options.json = true
            case "--config":
                guard index < arguments.count else { return .wrong("--config needs a file") }
                options.config = arguments[index]
                index += 1
            case "run", "status", "sample", "check-config":
                guard command == nil else { return .wrong("one command is expected, \"" + argument + "\" is a second one") }
                command = named(argument)
            default:
                let prefix = "--config="
                guard argument.utf8.starts(with: prefix.utf8) else { return .wrong("\"" + argument + "\" is neither a command nor an option") }
                options.config = String(argument.dropFirst(prefix.utf8.count))
            }
        }
        guard let command else { return .wrong("a command is expected: run, status, sample or check-config") }
        return .command(command, options)
    }

    private static func named(_ text: String) -> Command {
        switch text {
        case "run": .run
        case "status": .status
        case "sample": .sample
        default: .checkConfig
        }
    }
}
