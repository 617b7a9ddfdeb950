import AgentDaemon
import LinuxDriver
import Settings

/// farwatch-agent: assembly of the command line.
@main
struct FarwatchAgent {
    static let help = """
        farwatch-agent — samples this device, checks its certificates, and delivers both to a Farwatch collector.

        Usage: farwatch-agent COMMAND [--config FILE] [--json]

          run           run until SIGTERM (systemd does this)
          status        what the running agent is doing; without one, what its buffer holds
          doctor        look at what the agent needs, and say what to do; it may run meanwhile
          sample        take one sample now and print it; needs no collector
          certs [PATH|HOST:PORT …]
                        look at certificates now and say what is wrong, why, and what to do; where
                        nothing is named at the configured paths, or where programs keep theirs.
                        Needs no configuration and no collector. Exit codes as monitoring plug-ins
                        have them: 0 ok, 1 problems, 2 critical; certs --help has the rest
          check-config  check the configuration and say what is wrong and where
          buffer status, buffer verify, buffer export
                        what is in the buffer; whether all of it is whole; all its batches. They
                        change nothing, and the agent may run meanwhile

          --config FILE  the configuration, /etc/farwatch/agent.yaml if not given; every key can be
                         overridden by the environment: broker.host by FARWATCH_BROKER_HOST
          --json         machine-readable output; of buffer export a line a tick
          --csv          of buffer export a line a sample
          --file FILE    of buffer: another file, a damaged one that was kept aside for instance
          --output FILE  where buffer export writes; the standard output if not given, or for "-"
          --at TIME      of certs: as of another time, RFC 3339, or a date
          --trust FILE   of certs: further anchors, a file or a directory
          --crl FILE     of certs: revocation lists, PEM or DER
          --fetch        of certs: fetch the lists that certificates name, by HTTP
          --password-file FILE
                         of certs: passwords of PKCS#12 files, a line each
          --profile P    of certs: webpki or device for all of them
          --force        of buffer export: replace a file that exists; never a buffer's own
          --version, --help

        Exit codes: 0 ok, 1 failure, or not all of the buffer could be read, 3 not running (status), 64 wrong usage, 69 something does not work (doctor), 73 cannot make the
        buffer or the output, 74 cannot write to its end, 77 must not be read by this user (status), 78 wrong configuration.
        """

    static func main() {
        let arguments = Array(Environment.arguments().dropFirst())
        switch CommandLineArguments.parse(arguments) {
        case .help(.certificates?): Environment.exit(CommandOutput.show(CertificatesHelp.text + "\n", ExitCode.ok))
        case .help: Environment.exit(CommandOutput.show(help + "\n", ExitCode.ok))
        case .version: Environment.exit(CommandOutput.show("farwatch-agent " + FarwatchVersion.text + "\n", ExitCode.ok))
        case .wrong(let reason):
            Output.errorLine("farwatch-agent: " + reason + "\nTry: farwatch-agent --help")
            Environment.exit(ExitCode.usage)
        case .command(let command, let options): Environment.exit(run(command, options))
        }
    }

    private static func run(_ command: CommandLineArguments.Command, _ options: CommandLineArguments.Options) -> Int32 {
        let (settings, problems) = AgentSettings.read(file: options.config)
        let file = options.config ?? AgentSettings.defaultFile
        if case .checkConfig = command { return SettingsReport.show(problems, file: file, asJSON: options.json) }
        if case .doctor = command { return DoctorCommand.run(settings, problems, options) }
        // Whoever names the file needs no configuration.
        if case .buffer(let action) = command, options.file != nil || problems.isEmpty { return BufferCommand.run(action, settings, options) }
        if case .certificates = command {
            // A configuration that is broken matters to whoever names it, or would have its paths looked at.
            if problems.isEmpty || options.config == nil && !options.paths.isEmpty { return CertificatesCommand.run(settings, options) }
        }
        guard problems.isEmpty, let device = settings.device else {
            for problem in problems { Output.errorLine(problem.description) }
            return ExitCode.configuration
        }
        switch command {
        case .run: return RunCommand.run(settings, device: device)
        case .status: return StatusCommand.run(settings, device: device, asJSON: options.json)
        case .sample: return SampleCommand.run(settings, asJSON: options.json)
        case .checkConfig, .buffer, .certificates, .doctor: return ExitCode.ok
        }
    }
}
