import CertificateInspection
import LinuxDriver

/// One scan of the configured paths, in steps, so that the daemon's loop is never held up for long: `step` until it says that all is done.
package struct CertificateScanner {
    package static let problemsMax = 500
    package static let keyFilesMax = 500

    /// What was found so far, in the order of the walk. Made at each call: ask once, when the scan is finished.
    package var records: [CertificateRecord] {
        // Once in the binary, not at each place that asks.
        @inline(never) get {
            var records = packed.unpacked()
            SharedKeys.mark(&records)
            KeyFiles.mark(&records, with: keyFiles, named: namedPairs)
            return records
        }
    }
    /// Certificates and keys that programs' configuration names for each other.
    package var namedPairs: [NamedPair] = []
    package var recordsCount: Int { packed.count }
    /// Private keys that belong to none of these records, which are this scan's.
    package func bareKeys(beside records: [CertificateRecord]) -> [BareKey] { BareKey.among(keyFiles, beside: records) }
    /// The issuers in their chains, wherever they lie, once the scan is finished.
    package var issuers: [CertificateRecord] { memory.issuers.unpacked() }
    package private(set) var problems: [CertificateProblem] = []
    /// For the next scan; complete once this one is.
    package private(set) var memory: ScanMemory
    package private(set) var isFinished = false
    /// Files whose records were remembered rather than read.
    package private(set) var unchangedFiles = 0
    /// Files that are private keys' by their names, and that this user must not read.
    package private(set) var keysUnread = 0

    private var packed = PackedRecords()
    private var keyFiles: [KeyFile] = []
    private var trust: TrustSources
    private let profiles: ProfilePaths
    private let limits: ScanLimits
    private let passwords: [String]
    private var earlier: ScanMemory?
    /// Milliseconds since 1970.
    private let now: Int64
    private let clockIsTrustworthy: Bool
    private var inspector: CertificateInspector?
    private var walk: FileWalk
    /// Goes before the walk.
    private var listSearch: RevocationListSearch?
    private var open: OpenFile?
    /// Files with lists that were not known when the scan began.
    private var metLists: [String] = []
    private var isAgain = false
    private var listProblems: [CertificateProblem] = []
    /// What fetches revocation lists, where that was asked for.
    package var fetcher: RevocationFetcher?
    private var files = 0

    /// A scan as of `now` (milliseconds since 1970), with what the scan before it remembers.
    @inline(never)
    package init(
        paths: [String], trust: TrustSources, profiles: ProfilePaths = ProfilePaths(), passwords: [String] = [], at now: Int64,
        clockIsTrustworthy: Bool,
        limits: ScanLimits = .daemon, earlier: ScanMemory = ScanMemory()
    ) {
        self.limits = limits
        self.trust = trust
        self.profiles = profiles
        self.passwords = passwords
        self.now = now
        self.clockIsTrustworthy = clockIsTrustworthy
        walk = FileWalk(paths: Self.expanded(paths), limits: limits)
        listSearch = RevocationListSearch(walk, limits: limits)
        memory = ScanMemory()
        self.earlier = earlier
    }

    /// A pattern that nothing is named by stays what it is, and is missing.
    private static func expanded(_ paths: [String]) -> [String] {
        paths.flatMap { path in
            let found = FileGlob.paths(path)
            return found.isEmpty ? [path] : found
        }
    }

    /// Directories met since the last call, in which a change would change what is found.
    package mutating func takeDirectories() -> [String] { walk.takeDirectories() }

    /// Does at most `budget` units of work, each a directory entry or a certificate. True when the scan is finished.
    @discardableResult
    package mutating func step(budget: Int) -> Bool {
        var rest = budget
        while rest > 0 && !isFinished {
            rest -= 1
            if open != nil { inspectNext() } else { walkOn() }
        }
        return isFinished
    }

    /// The whole scan at once: for command lines.
    package mutating func run() {
        while !step(budget: .max) {}
    }

    // MARK: Files

    private mutating func walkOn() {
        guard listSearch == nil else { return lookForLists() }
        switch walk.next() {
        case .passed: break
        case .problem(let problem): report(problem)
        case .file(let path, let identity, let isNamed): if !CertificateFileName.isList(path) { begin(path, identity, isNamed: isNamed) }
        case .end: finish()
        }
    }

    private mutating func lookForLists() {
        guard var search = listSearch.take() else { return }
        guard !search.step() else { return listSearch = search }
        for path in search.paths where !trust.revocationLists.contains(path) { trust.revocationLists.append(path) }
        listProblems = search.problems
        for problem in listProblems { report(problem) }
        // Other lists than the last time make its verdicts void.
        memory = ScanMemory(trust: trust.state(), scannedAt: now, clockIsTrustworthy: clockIsTrustworthy)
        if let known = earlier, !known.holds(for: memory) { earlier = nil }
    }

    private mutating func begin(_ path: String, _ identity: FileIdentity, isNamed: Bool) {
        files += 1
        guard files <= limits.files else { return stop(path, "more than " + String(limits.files) + " files") }
        if let earlier, let known = earlier.file(identity, at: path, now: now), packed.count + known.count <= limits.certificates {
            unchangedFiles += 1
            packed.append(earlier.bytes(of: known), count: known.count)
            memory.remember(known, earlier.bytes(of: known))
            return
        }
        do throws(SystemError) {
            var max: Int64 = 0
            guard let beginning = try OpenFile.read(path, identity, limits, max: &max) else {
                return report(CertificateProblem(tooLarge: path, identity.size, max: max))
            }
            open = OpenFile(
                path, beginning, identity, isNamed: isNamed, behind: packed, profiles.profile(of: path), passwords, for: currentInspector())
        } catch {
            // A private key that is closed to others is as it should be.
            if error.isPermission && CertificateFileName.meansKey(path) { return keysUnread += 1 }
            report(CertificateProblem(error.isMissing ? .missing : .unreadable, path, error.isMissing ? "" : error.description))
        }
    }

    // MARK: Certificates

    private mutating func inspectNext() {
        let inspector = currentInspector()
        guard var file = open.take() else { return }
        switch file.next(with: inspector, at: clockIsTrustworthy ? now : nil) {
        case .certificate(let certificate):
            guard packed.count < limits.certificates else {
                return stop(file.path, "more than " + String(limits.certificates) + " certificates")
            }
            packed.append(certificate.record)
            open = file
        case .fault, nil: open = file
        case .locked: report(CertificateProblem(.locked, file.path))
        case .end: close(file)
        }
    }

    /// Made when the first file needs it: a scan that finds everything unchanged loads no anchor.
    private mutating func currentInspector() -> CertificateInspector {
        if let inspector { return inspector }
        let made = CertificateInspector(trust: trust)
        if let fetcher { made.fetch = { fetcher.list(at: $0) } }
        memory.trustProblems = made.problems
        inspector = made
        return made
    }

    private mutating func close(_ file: OpenFile) {
        let found = packed.count - file.firstRecord
        let path = file.path
        if file.inspection.hasLists { meetList(path) }
        if file.faults > 0 {
            return report(CertificateProblem(.malformed, path, String(file.faults) + " blocks, first " + file.firstFault))
        }
        // A key lying among certificates is nothing to report; a path that was named to hold a certificate and does not is.
        if found == 0 && file.inspection.keyCount == 0 && !file.inspection.hasLists && (file.isNamed || !file.inspection.hasOtherBlocks) {
            return report(CertificateProblem(.noCertificate, path))
        }
        guard file.inspection.keyCount == 0 else { return noteKeys(of: file, isAlone: found == 0) }
        memory.remember(
            ScanMemory.File(identity: file.identity, path: path, count: found, changesAt: file.changesAt), packed.bytes(from: file.firstByte))
    }

    /// Files with keys are read anew each time: nothing of a key is remembered.
    private mutating func noteKeys(of file: OpenFile, isAlone: Bool) {
        guard keyFiles.count < Self.keyFilesMax else { return }
        keyFiles.append(
            KeyFile(
                path: FileName.shown(file.path), ids: file.inspection.keys, isReadableByOthers: file.identity.isReadableByOthers, isAlone: isAlone))
    }

    /// Revocation lists among certificates hold for those too that were looked at before: then all is looked at once more.
    private mutating func meetList(_ path: String) {
        guard !isAgain, !trust.revocationLists.contains(path), metLists.count < RevocationListSearch.listsMax else { return }
        metLists.append(path)
    }

    /// From the first file, with the lists that were met.
    private mutating func beginAgain() {
        trust.revocationLists += metLists
        (metLists, isAgain) = ([], true)
        (packed, keyFiles, problems) = (PackedRecords(), [], listProblems)
        (files, unchangedFiles, keysUnread) = (0, 0, 0)
        (open, inspector, earlier) = (nil, nil, nil)
        walk.restart()
        memory = ScanMemory(trust: trust.state(), scannedAt: now, clockIsTrustworthy: clockIsTrustworthy)
    }

    // MARK: Ends

    private mutating func report(_ problem: CertificateProblem) {
        if problems.count < Self.problemsMax { problems.append(problem) }
    }

    private mutating func stop(_ path: String, _ limit: String) {
        // This one is told even when there is no room: what follows was never looked at.
        if problems.count >= Self.problemsMax { problems.removeLast() }
        report(CertificateProblem(.limitReached, path, limit))
        finish()
    }

    private mutating func rememberIssuers() {
        var issuers = inspector?.issuerRecords() ?? []
        for one in earlier?.issuers.unpacked() ?? [] where issuers.count < CertificateInspector.issuersMax {
            if !issuers.contains(where: { $0.id == one.id }) { issuers.append(one) }
        }
        for one in issuers { memory.issuers.append(one) }
    }

    private mutating func finish() {
        guard metLists.isEmpty else { return beginAgain() }
        isFinished = true
        if inspector == nil, let earlier { memory.trustProblems = earlier.trustProblems }
        rememberIssuers()
        for problem in memory.trustProblems { report(problem) }
        for file in keyFiles where file.isReadableByOthers { report(CertificateProblem(.keyReadable, file.path)) }
        open = nil
        inspector = nil
        FreedMemory.giveBack()
    }
}
