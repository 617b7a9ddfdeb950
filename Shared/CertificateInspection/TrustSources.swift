import LinuxDriver

/// Where this machine's trust anchors are: its own store and what the configuration adds.
package struct TrustSources: Equatable, Sendable {
    /// Directories that `c_rehash` or `update-ca-trust` keep: Debian's and Fedora's.
    package static let systemDirectories = ["/etc/ssl/certs", "/etc/pki/ca-trust/extracted/pem/directory-hash"]
    /// The same anchors as one file, for machines without a hashed directory.
    package static let systemBundles = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"]
    /// Names of a trust directory that are looked at.
    package static let directoryNamesMax = 4096

    package var usesSystemStore: Bool
    /// PEM or DER files of anchors.
    package var files: [String]
    /// Directories of anchors, hashed or not.
    package var directories: [String]

    /// Files of revocation lists, PEM or DER.
    package var revocationLists: [String]

    package init(usesSystemStore: Bool = true, files: [String] = [], directories: [String] = [], revocationLists: [String] = []) {
        self.revocationLists = revocationLists
        self.usesSystemStore = usesSystemStore
        self.files = files
        self.directories = directories
    }

    /// What is there to use right now. An anchor found by its hash costs memory only when a chain asks for it, a bundle costs all of it:
    /// so a bundle of the system's counts only where there is no hashed directory.
    package func resolved() -> ResolvedTrustSources {
        var resolved = ResolvedTrustSources(files: files)
        if usesSystemStore {
            if let directory = Self.systemDirectories.first(where: { Self.isHashed($0) }) {
                resolved.hashedDirectories.append(directory)
            } else if let bundle = Self.systemBundles.first(where: { SmallFile.exists($0) }) {
                resolved.files.append(bundle)
            }
        }
        for directory in directories {
            if Self.isHashed(directory) { resolved.hashedDirectories.append(directory) } else { resolved.plainDirectories.append(directory) }
        }
        return resolved
    }

    /// The state of every source; when it differs from an earlier one, earlier verdicts on trust are void.
    package func state() -> [FileIdentity?] {
        let system = usesSystemStore ? Self.systemDirectories + Self.systemBundles : []
        return (system + files + directories + revocationLists).map { path in
            do throws(SystemError) { return try FileIdentity.of(path) } catch { return nil }
        }
    }

    /// Whether any name in the directory is `<8 hexadecimal digits>.<number>`.
    private static func isHashed(_ directory: String) -> Bool {
        do throws(SystemError) {
            return try SmallFile.names(in: directory, limit: directoryNamesMax).contains { isHashName($0) }
        } catch {
            return false
        }
    }

    static func isHashName(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard bytes.count >= 10, bytes[8] == UInt8(ascii: ".") else { return false }
        for byte in bytes[..<8] where !(0x30...0x39 ~= byte || 0x61...0x66 ~= byte) { return false }
        for byte in bytes[9...] where !(0x30...0x39 ~= byte) { return false }
        return true
    }
}

/// Sources of trust as a trust store takes them.
package struct ResolvedTrustSources: Equatable, Sendable {
    package var files: [String]
    package var hashedDirectories: [String] = []
    /// Configured directories without hashes: each certificate file in them is read.
    package var plainDirectories: [String] = []
}
