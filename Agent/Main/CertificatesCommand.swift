import AgentCertificates
import AgentDaemon
import CertificateInspection
import LinuxDriver
import Settings

/// `farwatch-agent certs`: looks at certificates now and prints what is to be said about them.
enum CertificatesCommand {
    static func run(_ settings: AgentSettings, _ options: CommandLineArguments.Options) -> Int32 {
        var at = Clock.system.wall()
        var isTrustworthy = at >= Clock.plausibleWallMin
        if let text = options.at {
            guard let time = Timestamp.parse(text) ?? Timestamp.parse(text + "T00:00:00Z") else {
                Output.errorLine("farwatch-agent: --at needs a time such as 2026-11-21T12:00:00Z, or a date")
                return ExitCode.usage
            }
            (at, isTrustworthy) = (time, true)
        }
        var profiles = settings.certificateProfiles
        if let name = options.profile {
            guard let profile = ValidationProfile(name), profile != .rfc5280 else {
                Output.errorLine("farwatch-agent: --profile is webpki or device")
                return ExitCode.usage
            }
            profiles = ProfilePaths()
            profiles.standard = profile
        }
        var trust = settings.certificateTrust
        if let path = options.trust { if SmallFile.isDirectory(path) { trust.directories.append(path) } else { trust.files.append(path) } }
        if let path = options.revocations { trust.revocationLists.append(path) }
        var passwords: [String] = []
        if let path = options.passwords ?? settings.certificatePasswordFile {
            do throws(SystemError) { passwords = try PasswordFile.read(path) } catch {
                Output.errorLine("farwatch-agent: " + error.description)
                return ExitCode.failure
            }
        }
        // What is there is a path, whatever it looks like.
        let endpoints = options.paths.filter { !SmallFile.exists($0) }.compactMap { Endpoint($0) }
        var paths = options.paths.filter { SmallFile.exists($0) || Endpoint($0) == nil }
        if options.paths.isEmpty { paths = settings.certificatePaths.isEmpty ? KnownPlaces.present() : settings.certificatePaths }
        var scanner = CertificateScanner(
            paths: paths, trust: trust, profiles: profiles, passwords: passwords, at: at, clockIsTrustworthy: isTrustworthy, limits: .command)
        scanner.run()
        var (served, problems): ([EndpointRecord], [CertificateProblem]) = ([], scanner.problems)
        if !endpoints.isEmpty {
            let inspection = EndpointInspection(trust: trust, profile: profiles.standard, at: isTrustworthy ? at : nil)
            for endpoint in endpoints.prefix(EndpointInspection.endpointsMax) {
                do throws(CertificateProblemError) { served.append(try inspection.look(at: endpoint)) } catch { problems.append(error.problem) }
            }
            EndpointInspection.compare(&served, with: scanner.records)
        }
        let table = CertificateTable(records: scanner.records, endpoints: served, problems: problems, at: at, clockIsTrustworthy: isTrustworthy)
        return CommandOutput.show(options.json ? table.json() : table.text(), Int32(table.worst.rawValue))
    }
}
