import AgentCertificates
import CertificateFixtures
import Foundation
import Testing

/// What configuration files of programs name, each program in its own words. `ROOT` stands for a directory of the test's.
@Suite struct ProgramFilesTests {
    /// A tree of files, which goes away with this object.
    final class Tree {
        let root: String

        init(_ files: [String: String]) throws {
            root = try #require(FileManager.default.temporaryDirectory.path.removingPercentEncoding) + "/farwatch-programs-" + UUID().uuidString
            for (path, text) in files {
                let file = URL(filePath: root + path)
                try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(text.replacingOccurrences(of: "ROOT", with: root).utf8).write(to: file)
            }
        }

        deinit { try? FileManager.default.removeItem(atPath: root) }

        func found() -> (paths: [String], lists: [String]) {
            let files = ProgramFiles(below: root)
            let bare = { (path: String) in path.replacingOccurrences(of: self.root, with: "") }
            return (files.paths.map(bare), files.revocationLists.map(bare))
        }
    }

    struct Case: CustomTestStringConvertible {
        let testDescription: String
        let files: [String: String]
        let paths: [String]
        var lists: [String] = []
    }

    static let cases = [
        Case(
            testDescription: "nginx",
            files: [
                "/etc/nginx/nginx.conf": """
                http {  # ssl_certificate /no/comment.pem;
                  include conf.d/*.conf; include /nowhere/*.conf;
                  server { listen 443 ssl; ssl_certificate "tls/a b.pem"; ssl_certificate_key
                    /tls/a.key; ssl_certificate $ssl_server_name.pem; ssl_certificate_key "engine:pkcs11:one"; }
                }
                """,
                "/etc/nginx/conf.d/b.conf": "server{ssl_client_certificate /tls/ca.pem;ssl_crl /tls/ca.crl;}",
                "/etc/nginx/conf.d/c.txt": "ssl_certificate /c;",
            ], paths: ["/tls/ca.pem", "/etc/nginx/tls/a b.pem", "/tls/a.key"], lists: ["/tls/ca.crl"]),
        Case(
            testDescription: "Apache",
            files: [
                "/etc/apache2/apache2.conf":
                    "ServerRoot \"ROOT/etc/apache2\"\nIncludeOptional sites-enabled/*.conf\nInclude missing.conf\n#SSLCertificateFile /x\n",
                "/etc/apache2/sites-enabled/one.conf": """
                <VirtualHost *:443>
                  sslcertificatefile /tls/one.pem
                  SSLCertificateKeyFile \\
                     tls/one.key
                  SSLCARevocationFile /tls/one.crl
                  SSLCertificateFile ${UNKNOWN}/two.pem
                </VirtualHost>
                """,
            ], paths: ["/tls/one.pem", "/etc/apache2/tls/one.key"], lists: ["/tls/one.crl"]),
        Case(
            testDescription: "mosquitto",
            files: [
                "/etc/mosquitto/mosquitto.conf":
                    "listener 8883\r\ncafile /tls/ca.pem\r\n# certfile /no.pem\r\ninclude_dir ROOT/etc/mosquitto/conf.d\r\n",
                "/etc/mosquitto/conf.d/x.conf":
                    "certfile /tls/m.pem\nkeyfile /tls/m.key\ncrlfile /tls/m.crl\nbridge_capath /tls/many\npassword_file /secret\n",
                "/etc/mosquitto/conf.d/x.bak": "certfile /tls/old.pem\n",
            ], paths: ["/tls/ca.pem", "/tls/m.pem", "/tls/m.key", "/tls/many"], lists: ["/tls/m.crl"]),
        Case(
            testDescription: "HAProxy",
            files: [
                "/etc/haproxy/haproxy.cfg": """
                global
                  crt-base /tls
                  ca-base /authorities
                frontend f
                  bind :443 ssl crt site.pem crt /abs/other.pem ca-file @system-ca alpn h2 crt-list ROOT/etc/haproxy/list
                  bind :8443 ssl crt '/tls/dir' ca-file /tls/ca.pem crl-file /tls/ca.crl
                  bind :9443 ssl ca-verify-file clients.pem crl-file clients.crl
                backend b
                  server s 10.0.0.1:443 ssl ca-file relative.pem
                """, "/etc/haproxy/list": "# all\nlisted.pem [alpn h2] example.org\n",
                "/etc/haproxy/conf.d/x.cfg":
                    "listen x\n  bind :1 ssl crt beside.pem\n  server t 10.0.0.2:443 ssl ca-file others.pem crl-file others.crl\n",
            ],
            paths: [
                "/tls/site.pem", "/abs/other.pem", "/tls/listed.pem", "/tls/dir", "/tls/ca.pem", "/authorities/clients.pem",
                "/authorities/relative.pem", "/tls/beside.pem", "/authorities/others.pem",
            ], lists: ["/tls/ca.crl", "/authorities/clients.crl", "/authorities/others.crl"]),
        Case(
            testDescription: "HAProxy without places for authorities",
            files: ["/etc/haproxy/conf.d/x.cfg": "backend x\n  server t 10.0.0.2:443 ssl crt a.pem ca-file nowhere.pem crl-file nowhere.crl\n"],
            paths: ["/etc/haproxy/conf.d/a.pem"]),
        Case(
            testDescription: "OpenVPN, inline too",
            files: [
                "/etc/openvpn/server/a.conf":
                    "; a comment\nca ca.crt\ncert \"a cert.pem\"\nkey /tls/a.key # secret\ncrl-verify crl.pem\ntls-auth ta.key 1\n",
                "/etc/openvpn/b.ovpn": "client\nca [inline]\n<ca>\n-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n</ca>\n",
            ],
            paths: ["/etc/openvpn/b.ovpn", "/etc/openvpn/server/ca.crt", "/etc/openvpn/server/a cert.pem", "/tls/a.key"],
            lists: ["/etc/openvpn/server/crl.pem"]),
        Case(
            testDescription: "strongSwan",
            files: [
                "/etc/swanctl/swanctl.conf": """
                connections { gw { local { certs = a.pem, b.pem
                      auth = pubkey } remote { cacerts = /tls/ca.pem } } }
                include conf.d/*.conf
                """, "/etc/swanctl/conf.d/x.conf": "connections {\n x {\n local { cert { file = /tls/x.pem\n } } }\n}\n",
                "/etc/ipsec.conf": "conn home\n  leftcert=moon.pem\n  rightid=\"CN=sun\"\n  # leftcert=no.pem\n",
            ],
            paths: ["/etc/swanctl/x509/a.pem", "/etc/swanctl/x509/b.pem", "/tls/ca.pem", "/tls/x.pem", "/etc/ipsec.d/certs/moon.pem"]),
        Case(
            testDescription: "Postfix",
            files: [
                "/etc/postfix/main.cf": """
                smtpd_tls_chain_files =
                    /tls/key.pem,
                    /tls/chain.pem
                smtp_tls_CAfile=/tls/ca.pem
                smtpd_tls_cert_file = none
                smtpd_tls_key_file = $smtpd_tls_cert_file
                smtpd_banner = /not/this
                # smtpd_tls_cert_file = /tls/no.pem
                """
            ], paths: ["/tls/key.pem", "/tls/chain.pem", "/tls/ca.pem"]),
        Case(
            testDescription: "PostgreSQL",
            files: [
                "/etc/postgresql/17/main/postgresql.conf": """
                data_directory = '/data'   # where
                include_dir = 'conf.d'
                ssl_cert_file = 'server.crt'
                ssl_crl_file = ''
                #ssl_ca_file = '/tls/no.pem'
                """, "/etc/postgresql/17/main/conf.d/tls.conf": "ssl_key_file='/tls/server.key'\nssl_ca_file '/tls/root.crt'\n",
            ], paths: ["/tls/server.key", "/tls/root.crt", "/data/server.crt"]),
        Case(
            testDescription: "wpa_supplicant",
            files: [
                "/etc/wpa_supplicant/wpa_supplicant.conf": """
                network={
                    ssid="x"
                    ca_cert="/tls/wifi.pem"
                    client_cert="blob://one"
                    private_key="/tls/wifi.p12"
                    private_key_passwd="/tls/never"
                }
                """
            ], paths: ["/tls/wifi.pem", "/tls/wifi.p12"]),
    ]

    @Test(arguments: cases) func `what a program's configuration names is found, and nothing else`(_ one: Case) throws {
        let (paths, lists) = try Tree(one.files).found()
        #expect(paths == one.paths)
        #expect(lists == one.lists)
    }

    static let pairs: [(file: String, text: String, pairs: [[String]])] = [
        (
            "/etc/nginx/nginx.conf", "http{server{ssl_certificate /a;ssl_certificate_key /b;}server{ssl_certificate_key /d;ssl_certificate /c;}}",
            [["/a", "/b"], ["/c", "/d"]]
        ),
        // Two of each go together in their order.
        (
            "/etc/nginx/nginx.conf", "server{ssl_certificate /a;ssl_certificate /c;ssl_certificate_key /b;ssl_certificate_key /d;}",
            [["/a", "/b"], ["/c", "/d"]]
        ),
        // A section's lone half has nothing to do with the next one's.
        ("/etc/nginx/nginx.conf", "server{ssl_certificate /a;}server{ssl_certificate_key /b;ssl_certificate /c;}", [["/c", "/b"]]),
        (
            "/etc/nginx/nginx.conf",
            "server{ssl_certificate /a;ssl_certificate_key $key;}server{ssl_certificate /c;ssl_certificate /e;ssl_certificate_key /d;}", []
        ),
        ("/etc/nginx/nginx.conf", "server{ssl_certificate /a;proxy_ssl_certificate_key /b;}", []),
        (
            "/etc/apache2/apache2.conf",
            "<VirtualHost *:1>\nSSLCertificateFile /a\n</VirtualHost>\n<VirtualHost *:2>\nSSLCertificateKeyFile /d\nSSLCertificateFile /c\n</VirtualHost>\n",
            [["/c", "/d"]]
        ),
        (
            "/etc/mosquitto/mosquitto.conf",
            "listener 1\ncertfile /a\nkeyfile /b\nlistener 2\nkeyfile /d\ncafile /x\ncertfile /c\nconnection x\nbridge_certfile /e\nbridge_keyfile /f\n",
            [["/a", "/b"], ["/c", "/d"], ["/e", "/f"]]
        ),
        (
            "/etc/postfix/main.cf", "smtpd_tls_cert_file=/a\nsmtp_tls_cert_file=/c\nsmtp_tls_key_file=/d\nsmtpd_tls_key_file=/b\n",
            [["/a", "/b"], ["/c", "/d"]]
        ),
        ("/etc/postgresql/17/main/postgresql.conf", "ssl_cert_file = '/a'\nssl_key_file = '/b'\n", [["/a", "/b"]]),
        ("/etc/wpa_supplicant/x.conf", "network={\nclient_cert=\"/a\"\nprivate_key=\"/b\"\n}\nnetwork={\nclient_cert=\"/c\"\n}\n", [["/a", "/b"]]),
    ]

    @Test(arguments: pairs.indices) func `certificates and keys are pairs where one section names them for each other`(index: Int) throws {
        let one = Self.pairs[index]
        let tree = try Tree([one.file: one.text])
        #expect(ProgramFiles(below: tree.root).pairs.map { [$0.certificate, $0.key] } == one.pairs)
    }

    @Test func `configurations that include themselves, have no end, or are none, end`() throws {
        let tree = try Tree([
            "/etc/nginx/nginx.conf": "include nginx.conf; include *; include loop/*; ssl_certificate /a.pem;",
            "/etc/nginx/loop/1": "include ../loop/*; ssl_certificate \"/open quote", "/etc/nginx/loop/2": String(repeating: "{", count: 100_000),
            "/etc/apache2/apache2.conf": String(repeating: "Include \\\n", count: 10_000),
            "/etc/postfix/main.cf": "\u{0}\u{1}smtpd_tls_cert_file\n =",
            "/etc/haproxy/haproxy.cfg": "bind " + String(repeating: "crt ", count: 50_000) + "crt",
            "/etc/wpa_supplicant/x.conf": String(repeating: "ca_cert=\"/", count: 20_000),
        ])
        let (paths, _) = tree.found()
        #expect(paths.contains("/a.pem"))
        #expect(paths.count <= ProgramFiles.namesMax)
    }

    @Test func `a machine without any of them has none`() throws {
        let (paths, lists) = try Tree([:]).found()
        #expect(paths.isEmpty && lists.isEmpty)
    }
}
