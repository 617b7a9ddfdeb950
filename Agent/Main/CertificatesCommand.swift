import AgentCertificates
import AgentDaemon
import CertificateInspection
import LinuxDriver
import Settings

/// `farwatch-agent certs`: looks at certificates now and prints what is to be said about them.
struct CertificatesCommand {
    private let options: CommandLineArguments.Options
    private let settings: AgentSettings
    private var at = Clock.system.wall()
    private var clockIsTrustworthy: Bool
    private var profiles: ProfilePaths
    private var trust: TrustSources
    private var passwords: [String] = []
    private var namedPairs: [NamedPair] = []
    private let fetcher: RevocationFetcher?
    /// Of what endpoints served.
    private var issuers: [CertificateRecord] = []

    static func run(_ settings: AgentSettings, _ options: CommandLineArguments.Options) -> Int32 {
        var command = CertificatesCommand(settings, options)
        if let code = command.readOptions() { return code }
        return options.endpoints ? command.reportEndpoints() : command.show()
    }

    private init(_ settings: AgentSettings, _ options: CommandLineArguments.Options) {
        self.settings = settings
        self.options = options
        clockIsTrustworthy = at >= Clock.plausibleWallMin
        fetcher = options.fetch ? RevocationFetcher() : nil
        profiles = settings.certificateProfiles
        trust = settings.certificateTrust
    }

    /// Nil when all of them make sense.
    private mutating func readOptions() -> Int32? {
        if let text = options.at {
            guard let time = Timestamp.parse(text) ?? Timestamp.parse(text + "T00:00:00Z") else {
                return Self.refuse("--at needs a time such as 2026-11-21T12:00:00Z, or a date", ExitCode.usage)
            }
            (at, clockIsTrustworthy) = (time, true)
        }
        if let name = options.profile {
            guard let profile = ValidationProfile(name), profile != .rfc5280 else {
                return Self.refuse("--profile is webpki or device", ExitCode.usage)
            }
            profiles = ProfilePaths()
            profiles.standard = profile
        }
        if let path = options.trust { if SmallFile.isDirectory(path) { trust.directories.append(path) } else { trust.files.append(path) } }
        if let path = options.revocations { trust.revocationLists.append(path) }
        guard let path = options.passwords ?? settings.certificatePasswordFile else { return nil }
        do throws(SystemError) { passwords = try PasswordFile.read(path) } catch {
            return Self.refuse(error.description, options.passwords == nil ? ExitCode.configuration : ExitCode.usage)
        }
        return nil
    }

    private static func refuse(_ text: String, _ code: Int32) -> Int32 {
        Output.errorLine("farwatch-agent: " + text)
        return code
    }

    private mutating func show() -> Int32 {
        // What is there is a path, whatever it looks like.
        let endpoints = options.paths.filter { !SmallFile.exists($0) }.compactMap { Endpoint($0) }
        var paths = options.paths.filter { SmallFile.exists($0) || Endpoint($0) == nil && !Self.isWrongEndpoint($0) }
        if options.paths.isEmpty { paths = settings.certificatePaths }
        if paths.isEmpty && options.paths.isEmpty { paths = discover() }
        let scanner = scan(paths)
        var problems =
            scanner.problems + options.paths.filter { Self.isWrongEndpoint($0) }.map { CertificateProblem(.unreachable, $0, Endpoint.form) }
        let served = look(at: endpoints, scanner, &problems)
        problems += fetcher?.problems ?? []
        let records = scanner.records
        let table = CertificateTable(
            records: records, endpoints: served, problems: problems, keysUnread: scanner.keysUnread, bareKeys: scanner.bareKeys(beside: records),
            at: at, clockIsTrustworthy: clockIsTrustworthy)
        var failure: SystemError?
        let write = { (text: String) in if failure == nil { failure = Output.tryWrite(text, to: Output.standard) } }
        if options.json { table.writeJSON(write) } else { table.writeText(write) }
        if let failure { return Self.refuse(failure.description, ExitCode.cannotWrite) }
        return Int32(table.worst.rawValue)
    }

    /// There is no such path, and it is written like an endpoint.
    private static func isWrongEndpoint(_ text: String) -> Bool {
        Endpoint(text) == nil && Endpoint.isMeant(by: text) && !SmallFile.exists(text)
    }

    /// What the daemon looks at, for it to report: the endpoints of the configuration, held against what lies on disk.
    private mutating func reportEndpoints() -> Int32 {
        var problems: [CertificateProblem] = []
        var paths = settings.certificatePaths
        if settings.certificatesAreDiscovered { paths += discover() }
        let scanner = scan(paths)
        let served = look(at: settings.certificateEndpoints, scanner, &problems)
        let records = scanner.records
        let authorities = issuers.filter { one in !records.contains { $0.id == one.id } }
        Output.write(EndpointReport.lines(served, authorities, problems, at: at, clockIsTrustworthy: clockIsTrustworthy), to: Output.standard)
        return ExitCode.ok
    }

    @inline(never)
    private mutating func discover() -> [String] {
        let programs = ProgramFiles()
        trust.revocationLists += programs.revocationLists
        namedPairs = programs.pairs
        return KnownPlaces.present() + programs.paths
    }

    @inline(never)
    private func scan(_ paths: [String]) -> CertificateScanner {
        var scanner = CertificateScanner(
            paths: paths, trust: trust, profiles: profiles, passwords: passwords, at: at, clockIsTrustworthy: clockIsTrustworthy, limits: .command)
        scanner.fetcher = fetcher
        scanner.namedPairs = namedPairs
        scanner.run()
        return scanner
    }

    private mutating func look(at endpoints: [Endpoint], _ scanner: CertificateScanner, _ problems: inout [CertificateProblem]) -> [EndpointRecord] {
        guard !endpoints.isEmpty else { return [] }
        var served: [EndpointRecord] = []
        let inspection = EndpointInspection(trust: trust, profile: profiles.standard, at: clockIsTrustworthy ? at : nil, fetcher: fetcher)
        for endpoint in endpoints.prefix(EndpointInspection.endpointsMax) {
            do throws(CertificateProblemError) { served.append(try inspection.look(at: endpoint)) } catch { problems.append(error.problem) }
        }
        issuers = inspection.issuers
        EndpointInspection.compare(&served, with: scanner.records)
        return served
    }
}
