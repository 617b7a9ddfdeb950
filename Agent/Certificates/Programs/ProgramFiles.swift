import LinuxDriver

/// The files that the configuration of programs on this machine names.
package struct ProgramFiles: Equatable, Sendable {
    /// Files of configuration that are read, bytes of one, how deep they include each other, and names that are taken from them.
    package static let configurationsMax = 512
    package static let configurationBytesMax = 256 * 1024
    package static let depthMax = 8
    package static let namesMax = 1000

    /// Certificates, keys and anchors, also whole directories of them.
    package private(set) var paths: [String] = []
    package private(set) var revocationLists: [String] = []
    /// Certificates and keys that are named for each other, `namesMax` at most.
    package private(set) var pairs: [NamedPair] = []
    /// The files that were read: a change of theirs may name others.
    package private(set) var configurations: [String] = []

    /// Where these lie.
    package var directories: [String] {
        var found: [String] = []
        for file in configurations {
            let directory = Self.directory(of: file)
            if !found.contains(directory) { found.append(directory) }
        }
        return found
    }

    /// Where relative names begin: of certificates, and of authorities and revocation lists where they have a place of their own.
    private struct Bases {
        var names: String
        var authorities = ""
        /// The configuration has set the first one.
        var isSet = false
    }

    private let root: String

    /// Reads them now. `root` stands in front of every path that is not given by a configuration, for tests.
    package init(below root: String = "") {
        self.root = root
        for program in KnownProgram.all(below: root) {
            var bases = Bases(names: "")
            for file in program.files.flatMap({ FileGlob.paths($0) }) {
                if !program.syntax.isOneScope { bases = Bases(names: "") }
                if !bases.isSet { bases.names = Self.directory(of: file) }
                read(file, of: program, &bases, depth: 0)
            }
        }
    }

    @inline(never)
    private mutating func read(_ file: String, of program: KnownProgram, _ bases: inout Bases, depth: Int) {
        guard depth <= Self.depthMax, configurations.count < Self.configurationsMax, !configurations.contains(file) else { return }
        guard let bytes = try? SmallFile.read(file, limit: Self.configurationBytesMax) else { return }
        configurations.append(file)
        // Keys and certificates that stand in it are a file of certificates with much around them.
        if Self.hasBlocks(bytes) { add(file, to: &paths) }
        var reader = StatementReader(bytes, program.syntax)
        var section = PairedNames()
        var braces = 0
        while let words = reader.next() {
            if reader.braces != braces { end(&section) }
            braces = reader.braces
            for index in 0..<(program.syntax.hasInnerWords ? words.count - 1 : min(1, words.count - 1)) {
                guard let directive = program.directives.first(where: { program.syntax.matches(words[index], $0.word) }) else { continue }
                if directive.kind == .scope {
                    end(&section)
                    continue
                }
                section.add(directive, words[index], Self.path(words[index + 1], in: bases.names))
                for word in words[(index + 1)...].prefix(program.syntax.hasSeveralNames ? StatementReader.wordsMax : 1) {
                    take(word, as: directive, of: program, &bases, file, depth)
                }
            }
        }
        end(&section)
    }

    @inline(never)
    private mutating func end(_ section: inout PairedNames) {
        let found = section.end()
        pairs += found.prefix(Self.namesMax - pairs.count)
    }

    private mutating func take(
        _ word: [UInt8], as directive: KnownProgram.Directive, of program: KnownProgram, _ bases: inout Bases, _ file: String, _ depth: Int
    ) {
        let isOfAuthorities = directive.kind == .authority || directive.kind == .authorityList
        if isOfAuthorities, bases.authorities.isEmpty, word.first != UInt8(ascii: "/") { return }
        let base = isOfAuthorities ? bases.authorities : bases.names
        guard let path = Self.path(word, in: directive.directory.isEmpty ? base : directive.directory) else { return }
        switch directive.kind {
        case .path, .authority: add(path, to: &paths)
        case .list, .authorityList: add(path, to: &revocationLists)
        case .lines: readLines(path, base)
        case .scope: break
        case .base: (bases.names, bases.isSet) = (path, true)
        case .authorityBase: bases.authorities = path
        case .include:
            // Some programs take relative names from where they began, others from where the name stands.
            let beside = Self.path(word, in: Self.directory(of: file)) ?? path
            for pattern in path == beside ? [path] : [path, beside] { include(pattern, of: program, bases, depth) }
        }
    }

    @inline(never)
    private mutating func include(_ pattern: String, of program: KnownProgram, _ bases: Bases, _ depth: Int) {
        let pattern = SmallFile.isDirectory(pattern) ? pattern + "/*.conf" : pattern
        for file in FileGlob.paths(pattern) {
            var inner = bases
            read(file, of: program, &inner, depth: depth + 1)
        }
    }

    private mutating func readLines(_ file: String, _ base: String) {
        guard let bytes = try? SmallFile.read(file, limit: Self.configurationBytesMax) else { return }
        var reader = StatementReader(bytes)
        while let words = reader.next() { if let path = Self.path(words[0], in: base) { add(path, to: &paths) } }
    }

    private func add(_ path: String, to list: inout [String]) {
        if list.count < Self.namesMax, !list.contains(path) { list.append(path) }
    }

    /// A path that a word names, made whole; nil for what is none: a variable, a store's or a token's address.
    private static func path(_ word: [UInt8], in base: String) -> String? {
        guard let first = word.first, first != UInt8(ascii: "@"), first != UInt8(ascii: "["), !word.contains(UInt8(ascii: "$")), !word.contains(0)
        else { return nil }
        let text = String(decoding: word, as: UTF8.self)
        if first == UInt8(ascii: "/") { return text }
        // `pkcs11:…`, `engine:…`, `data:…`, `blob://…`
        if word.contains(UInt8(ascii: ":")) || word.elementsEqual("none".utf8) || word.elementsEqual("inline".utf8) { return nil }
        return base + "/" + text
    }

    @inline(never)
    private static func directory(of file: String) -> String {
        let bytes = Array(file.utf8)
        let slash = bytes.lastIndex(of: UInt8(ascii: "/")) ?? 0
        return String(decoding: bytes[..<slash], as: UTF8.self)
    }

    private static func hasBlocks(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while let dash = rest.firstIndex(of: UInt8(ascii: "-")) {
            rest = rest[dash...]
            if rest.starts(with: "-----BEGIN ".utf8) { return true }
            while rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        }
        return false
    }
}
