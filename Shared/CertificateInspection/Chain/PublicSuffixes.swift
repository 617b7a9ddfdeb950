import LinuxDriver

/// Domains below which anyone may register a name, such as `co.uk`: a wildcard below one of them would stand for strangers.
///
/// Where the machine has the public suffix list (Debian: `publicsuffix`) that decides; otherwise the most used ones are known here.
package final class PublicSuffixes {
    package static let systemFile = "/usr/share/publicsuffix/public_suffix_list.dat"
    /// What the list's second part begins with.
    private static let ownedMark = "// ===BEGIN PRIVATE"
    static let fileBytesMax = 1024 * 1024

    /// Names below which registries let anyone register one.
    private static let registries: [StaticString] = [
        "ac.uk", "co.uk", "gov.uk", "me.uk", "net.uk", "org.uk", "com.au", "net.au", "org.au", "co.nz", "org.nz", "ac.jp", "co.jp", "ne.jp",
        "or.jp", "co.kr", "or.kr", "co.in", "net.in", "org.in", "com.br", "net.br", "org.br", "com.cn", "net.cn", "org.cn", "com.tw", "com.hk",
        "com.sg", "com.my", "co.id", "co.th", "com.ph", "com.vn", "com.tr", "co.il", "com.sa", "co.za", "com.ng", "co.ke", "com.eg", "com.mx",
        "com.ar", "com.co", "com.pe", "com.ua", "com.pl", "com.pt", "com.es", "com.gr", "co.at", "or.at",
    ]

    /// Names below which their owners let others have one; a wildcard of the owner's own is in order.
    private static let owned: [StaticString] = [
        "github.io", "gitlab.io", "herokuapp.com", "appspot.com", "web.app", "firebaseapp.com", "netlify.app", "vercel.app", "pages.dev",
        "workers.dev", "fly.dev", "onrender.com", "azurewebsites.net", "cloudapp.net", "cloudfront.net", "s3.amazonaws.com",
        "elasticbeanstalk.com", "blogspot.com", "duckdns.org", "dyndns.org", "ddns.net", "no-ip.org",
    ]

    private let file: String
    private var list: [UInt8]?

    package init(file: String = systemFile) { self.file = file }

    /// Whether the domain, in lower case, is itself such a suffix: a registry's, or also one that has an owner. Every top-level domain is.
    func contains(_ domain: ArraySlice<UInt8>, ofRegistriesOnly: Bool = false) -> Bool {
        guard let dot = domain.firstIndex(of: UInt8(ascii: ".")) else { return true }
        for suffix in ofRegistriesOnly ? Self.registries : Self.registries + Self.owned where domain.count == suffix.utf8CodeUnitCount {
            if domain.elementsEqual(UnsafeBufferPointer(start: suffix.utf8Start, count: suffix.utf8CodeUnitCount)) { return true }
        }
        return listed(domain, below: domain[(dot + 1)...], ofRegistriesOnly: ofRegistriesOnly)
    }

    /// The list's rules are one a line: a suffix, `*.` before one for all names right below it, `!` before an exception from that.
    private func listed(_ domain: ArraySlice<UInt8>, below parent: ArraySlice<UInt8>, ofRegistriesOnly: Bool) -> Bool {
        let bytes = loaded()
        var isSuffix = false
        var start = 0
        while start < bytes.count {
            var end = start
            while end < bytes.count && bytes[end] != 0x0A { end += 1 }
            let line = bytes[start..<end]
            if ofRegistriesOnly, line.starts(with: Self.ownedMark.utf8) { break }
            if line.count == domain.count {
                if line == domain { isSuffix = true }
            } else if line.count == parent.count + 2, line.starts(with: "*.".utf8) {
                if line.dropFirst(2) == parent { isSuffix = true }
            } else if line.count == domain.count + 1, line.first == UInt8(ascii: "!"), line.dropFirst() == domain {
                return false
            }
            start = end + 1
        }
        return isSuffix
    }

    private func loaded() -> [UInt8] {
        if let list { return list }
        var bytes: [UInt8] = []
        do throws(SystemError) { bytes = try SmallFile.read(file, limit: Self.fileBytesMax) } catch {}
        list = bytes
        return bytes
    }
}
