/// The command line, read by hand: the agent links no argument parser.
enum CommandLineArguments {
    enum Command {
        case run
        case status
        case sample
        case checkConfig
        case buffer(BufferCommand.Action)
        case certificates
        case doctor
    }

    struct Options {
        var config: String?
        var json = false
        /// Of `buffer`: another file than the configured one.
        var file: String?
        /// Of `buffer export`: where to write, whether a file that is there may be replaced, and lines of samples.
        var output: String?
        var force = false
        var csv = false
        /// Of `certs`: where to look, as of when, further anchors, and the profile.
        var paths: [String] = []
        var at: String?
        var trust: String?
        var profile: String?
        var revocations: String?
        var passwords: String?
        /// Revocation lists are fetched.
        var fetch = false
        /// What the running agent asks of a process of its own; nobody else needs it.
        var endpoints = false
    }

    case command(Command, Options)
    /// Of a command where it has a page of its own.
    case help(Command?)
    case version
    case wrong(String)

    static func parse(_ arguments: [String]) -> CommandLineArguments {
        var command: (name: String, Command)?
        var options = Options()
        var given: [String] = []
        var index = 0
        while index < arguments.count {
            let (argument, attached) = parts(of: arguments[index])
            index += 1
            if given.contains(argument) { return .wrong(argument + " is given twice") }
            switch argument {
            case "--":
                guard case .certificates = command?.1 else { return .wrong("-- goes before the paths of certs") }
                options.paths += arguments[index...]
                index = arguments.count
            case "--help", "-h", "help": return .help(command?.1)
            case "--version": return .version
            case "--json", "--csv", "--force", "--endpoints", "--fetch":
                guard attached == nil else { return .wrong(argument + " takes no value") }
                set(argument, &options)
                given.append(argument)
            case "--config", "--file", "--output", "--at", "--trust", "--profile", "--crl", "--password-file":
                let next = attached ?? (index < arguments.count ? arguments[index] : "")
                guard !next.isEmpty, attached != nil || !next.utf8.starts(with: "--".utf8) else { return .wrong(argument + " needs a value") }
                if attached == nil { index += 1 }
                set(argument, next, &options)
                given.append(argument)
            case "run", "status", "sample", "check-config", "doctor", "buffer":
                if let command { return .wrong("one command is expected, \"" + argument + "\" is a second one after " + command.name) }
                guard argument == "buffer" else {
                    command = (argument, named(argument))
                    continue
                }
                let word = index < arguments.count ? arguments[index] : ""
                if word == "--help" || word == "-h" || word == "help" { return .help(nil) }
                guard let action = action(word) else { return .wrong("buffer needs status, verify or export") }
                command = ("buffer " + word, .buffer(action))
                index += 1
            case "certs" where command == nil: command = (argument, .certificates)
            default:
                if case .certificates = command?.1, !argument.utf8.starts(with: "-".utf8) {
                    options.paths.append(argument)
                    continue
                }
                return .wrong("\"" + argument + "\" is neither a command nor an option")
            }
        }
        guard let command else { return .wrong("a command is expected: run, status, doctor, sample, certs, check-config or buffer") }
        if let reason = mistake(in: given, options, of: command.1) { return .wrong(command.name + reason) }
        return .command(command.1, options)
    }

    /// `--config=FILE` is `--config FILE`.
    private static func parts(of argument: String) -> (option: String, attached: String?) {
        guard argument.utf8.starts(with: "--".utf8), let sign = argument.utf8.firstIndex(of: UInt8(ascii: "=")) else { return (argument, nil) }
        return (String(argument.utf8[..<sign]) ?? argument, String(argument.utf8[argument.utf8.index(after: sign)...]) ?? "")
    }

    /// An option that a command has no use for is a mistake, not ignored: whoever gave it expects something.
    private static func mistake(in given: [String], _ options: Options, of command: Command) -> String? {
        let known = applicable(to: command)
        for option in given where !known.contains(option) { return " takes no " + option }
        if options.json && options.csv { return " takes --json or --csv, not both" }
        if options.force && options.output == nil { return " takes --force only with --output" }
        return nil
    }

    private static func applicable(to command: Command) -> [String] {
        switch command {
        case .run: ["--config"]
        case .certificates: ["--config", "--json", "--at", "--trust", "--profile", "--crl", "--password-file", "--endpoints", "--fetch"]
        case .status, .sample, .checkConfig, .doctor: ["--config", "--json"]
        case .buffer(.status), .buffer(.verify): ["--config", "--json", "--file"]
        case .buffer(.export): ["--config", "--json", "--file", "--csv", "--output", "--force"]
        }
    }

    private static func set(_ flag: String, _ options: inout Options) {
        switch flag {
        case "--json": options.json = true
        case "--csv": options.csv = true
        case "--endpoints": options.endpoints = true
        case "--fetch": options.fetch = true
        default: options.force = true
        }
    }

    private static func set(_ option: String, _ value: String, _ options: inout Options) {
        switch option {
        case "--config": options.config = value
        case "--file": options.file = value
        case "--at": options.at = value
        case "--trust": options.trust = value
        case "--profile": options.profile = value
        case "--crl": options.revocations = value
        case "--password-file": options.passwords = value
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
        case "doctor": .doctor
        default: .checkConfig
        }
    }
}
