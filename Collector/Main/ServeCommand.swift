import ArgumentParser
import LinuxDriver
import Logging
import ServiceSupport
import Settings

/// `farwatch-collector serve`.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "serve", abstract: "Run until SIGTERM or SIGINT.")

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let (settings, problems) = CollectorSettings.read(file: common.config)
        guard problems.isEmpty else {
            for problem in problems { Output.errorLine(problem.description) }
            throw ArgumentParser.ExitCode(Settings.ExitCode.configuration)
        }
        LoggingSystem.bootstrap { label in
            let isJournal = Journal.isStandardError()
            var handler = PlainLogHandler(isJournal ? JournalLogHandler(label: label) : StreamLogHandler.standardError(label: label))
            handler.logLevel = settings.logLevel.loggerLevel
            return handler
        }
        Signals.ignorePipe()
        do {
            try await Collector(settings).run()
        } catch let error as StoreError where error.reason == .notWritable {
            Output.errorLine("farwatch-collector: \(error)")
            Output.errorLine("Set data.directory to a directory that this user can write, or change the directory's owner.")
            throw ArgumentParser.ExitCode(Settings.ExitCode.cannotCreate)
        } catch {
            Output.errorLine("farwatch-collector: \(error)")
            throw ArgumentParser.ExitCode((error as? CollectorError)?.exitCode ?? Settings.ExitCode.failure)
        }
    }
}

extension LogLevel {
    fileprivate var loggerLevel: Logger.Level {
        switch self {
        case .error: .error
        case .warning: .warning
        case .notice: .notice
        case .info: .info
        case .debug: .debug
        }
    }
}
