/// The command line, read by hand: the agent links no argument parser.
enum CommandLineArguments {
    enum Command {
        case run
        case status
        case sample
        case checkConfig
        case buffer(BufferCommand.Action)
    }

    struct Options {
        var config: String?
        var json = false
        /// Of `buffer`: another file than the configured one, where to write, and lines of samples.
        var file: String?
        var output: String?
        var csv = false
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
            case "--csv": options.csv = true
            case "--config", "--file", "--output":
                guard index < arguments.count else { return .wrong(argument + " needs a file") }
                set(argument, arguments[index], &options)
                index += 1
            case "run", "status", "sample", "check-config":
                guard command == nil else { return .wrong("one command is expected, \"" + argument + "\" is a second one") }
                command = named(argument)
            case "buffer":
                guard command == nil else { return .wrong("one command is expected, \"buffer\" is a second one") }
                guard index < arguments.count, let action = action(arguments[index]) else { return .wrong("buffer needs status, verify or export") }
                command = .buffer(action)
                index += 1
            default:
                let prefix = "--config="
                guard argument.utf8.starts(with: prefix.utf8) else { return .wrong("\"" + argument + "\" is neither a command nor an option") }
                options.config = String(argument.dropFirst(prefix.utf8.count))
            }
        }
        guard let command else { return .wrong("a command is expected: run, status, sample, check-config or buffer") }
        return .command(command, options)
    }

    private static func set(_ option: String, _ value: String, _ options: inout Options) {
        switch option {
        case "--config": options.config = value
        case "--file": options.file = value
        default: options.output = value
        }
    }

    private static func action(_ text: String) -> BufferCommand.Action? {
        switch text {
        case "status": .status
        case "verify": .verify
        case "export": .export
        default: nil
        }
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
