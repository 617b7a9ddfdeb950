import CertificateFixtures
import CertificateInspection
import Testing

/// Findings of chains.
extension FindingTests {
    @Test func `what is wrong with a chain is found`() throws {
        try issue("middle") { $0.extensions = Self.authority + ["nameConstraints=critical,permitted;DNS:inside.example"] }
        try issue("short") { $0.extensions = Self.identifiers + ["basicConstraints=critical,CA:TRUE,pathlen:0", "keyUsage=critical,keyCertSign"] }
        try issue("deeper", by: "short") {
            $0.extensions = Self.authority
            $0.subject = "/O=Deeper"
        }
        try issue("mute") { $0.extensions = Self.identifiers + ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,cRLSign"] }
        try issue("old") {
            $0.extensions = Self.authority
            $0.to = "20260601000000Z"
        }
        try issue("plain") { $0.subject = "/O=Plain" }
        for (issuer, others, code) in [
            ("middle", ["middle.pem"], "name_constraints"), ("deeper", ["deeper.pem", "short.pem"], "path_length_exceeded"),
            ("mute", ["mute.pem"], "issuer_key_usage"), ("old", ["old.pem"], "expired_issuer"),
        ] {
            try issue("leaf", by: issuer) { $0.subject = "/O=Leaf" }
            try workshop.join(["leaf.pem"] + others, as: "chain.pem")
            let found = try findings("chain.pem")
            #expect(found.contains(code), "\(code): \(found)")
            #expect(try findings("leaf.pem").contains("incomplete_chain"))
        }
        try issue("leaf", by: "plain") { $0.subject = "/O=Leaf" }
        #expect(try findings("leaf.pem", trust: ["plain.pem"]).contains("issuer_not_authority"))
        // The same where it lies in the file, whether the root behind it is trusted or not; a stranger in the file is no issuer.
        try workshop.join(["leaf.pem", "plain.pem"], as: "chain.pem")
        try issue("other") { $0.subject = "/O=Other" }
        try workshop.join(["leaf.pem", "other.pem"], as: "strangers.pem")
        for trust in [["root.pem"], []] {
            let found = try findings("chain.pem", trust: trust)
            #expect(found.contains("issuer_not_authority") && !found.contains("incomplete_chain"), "\(found)")
            let others = try findings("strangers.pem", trust: trust)
            #expect(others.contains("incomplete_chain") && !others.contains("issuer_not_authority"), "\(others)")
        }
        #expect(try findings("root.pem", trust: ["plain.pem"]).contains("untrusted_root"))
        try issue("alone", by: nil)
        #expect(try findings("alone.pem").contains("self_signed"))
    }

    @Test func `a chain that is out of order is found`() throws {
        try issue("middle") {
            $0.extensions = Self.authority
            $0.subject = "/O=Middle"
        }
        try issue("leaf", by: "middle")
        try workshop.join(["leaf.pem", "middle.pem", "root.pem"], as: "right.pem")
        try workshop.join(["leaf.pem", "root.pem", "middle.pem"], as: "wrong.pem")
        #expect(try !findings("right.pem").contains("misordered_chain"))
        #expect(try findings("wrong.pem").contains("misordered_chain"))
        // PKCS#7 is a set, in which libcrypto leaves the order that it was given.
        for form in ["PEM", "DER"] {
            try workshop.openssl(["crl2pkcs7", "-nocrl", "-certfile", "wrong.pem", "-outform", form, "-out", "wrong.p7b"])
            let found = try findings("wrong.p7b", at: 1_793_000_000_000)
            #expect(!found.contains("misordered_chain") && !found.contains("incomplete_chain"), "\(found)")
        }
    }

    @Test func `a chain that asks for a policy, and a leaf that has it or not`() throws {
        try issue("strict") {
            $0.subject = "/O=Strict"
            $0.extensions = Self.authority + ["policyConstraints=critical,requireExplicitPolicy:0", "certificatePolicies=1.2.3.4"]
        }
        try issue("with", by: "strict") { $0.extensions = Self.server + [Self.names, "certificatePolicies=1.2.3.4"] }
        try issue("without", by: "strict")
        try workshop.join(["with.pem", "strict.pem"], as: "with-chain.pem")
        try workshop.join(["without.pem", "strict.pem"], as: "without-chain.pem")
        #expect(try findings("with-chain.pem", at: 1_793_000_000_000) == [])
        #expect(try findings("without-chain.pem").contains("policy"))
    }

    @Test func `authorities that certify each other over and over end the search, not the scan`() throws {
        for name in ["a", "b"] { try workshop.issue(name, isAuthority: true) }
        var others: [String] = []
        for number in 0..<8 {
            for (name, issuer) in [("a", "b"), ("b", "a")] {
                try workshop.renew(name, by: issuer)
                try workshop.write(name + String(number), workshop.bytes(name + ".pem"))
                others.append(name + String(number))
            }
        }
        try issue("leaf", by: "a") { $0.subject = "/O=Leaf" }
        try workshop.join(["leaf.pem"] + others, as: "maze.pem")
        try workshop.join(["leaf.pem", "a0"], as: "short.pem")
        #expect(try findings("maze.pem").contains("search_limit"))
        #expect(try !findings("short.pem").contains("search_limit"))
    }
}
