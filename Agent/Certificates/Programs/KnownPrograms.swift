/// The programs whose configuration is understood, from a table in their own manner.
///
/// `program` begins one: its name, how it writes, and its files. `path` has the directives that name certificates, keys and anchors, `within`
/// those that are relative to a directory of their own, `list` those of revocation lists, `include` those of more configuration, `lines` those of
/// files with a certificate's name at the beginning of each line, `pair` those of a certificate and of its key in turn, `scope` those that begin a
/// section in which pairs stand together, `base` those that relative names are relative to, without one the directory of
/// the file, and `authority` those that only `authority_base` holds for: without one their relative names are passed over.
struct KnownProgram {
    let name: String
    let syntax: ConfigurationSyntax
    /// Patterns.
    var files: [String] = []
    var directives: [Directive] = []

    /// As the table's words stand in `kind`.
    enum Kind: UInt8 { case path, list, include, lines, base, authority, authorityList, authorityBase, scope }

    struct Directive {
        let kind: Kind
        let word: [UInt8]
        /// Where relative names begin; empty for where the program's do.
        let directory: String
        /// What a certificate's and its key's directive have in common.
        let pair: Int?
        let isKey: Bool
    }

    static let table = """
        program nginx blocks /etc/nginx/nginx.conf /usr/local/nginx/conf/nginx.conf
        pair ssl_certificate ssl_certificate_key proxy_ssl_certificate proxy_ssl_certificate_key grpc_ssl_certificate grpc_ssl_certificate_key
        pair uwsgi_ssl_certificate uwsgi_ssl_certificate_key
        path ssl_client_certificate ssl_trusted_certificate proxy_ssl_trusted_certificate
        list ssl_crl proxy_ssl_crl
        include include
        program Apache either_case /etc/apache2/apache2.conf /etc/httpd/conf/httpd.conf
        scope <VirtualHost
        pair SSLCertificateFile SSLCertificateKeyFile MDCertificateFile MDCertificateKeyFile
        path SSLCertificateChainFile SSLCACertificateFile SSLCACertificatePath SSLProxyMachineCertificateFile SSLProxyCACertificateFile
        list SSLCARevocationFile SSLProxyCARevocationFile
        include Include IncludeOptional
        base ServerRoot
        program mosquitto plain /etc/mosquitto/mosquitto.conf
        scope listener connection
        pair certfile keyfile bridge_certfile bridge_keyfile
        path cafile capath bridge_cafile bridge_capath
        list crlfile
        include include_dir
        program HAProxy inner one_scope /etc/haproxy/haproxy.cfg /etc/haproxy/conf.d/*.cfg
        path crt
        lines crt-list
        base crt-base
        authority_base ca-base
        authority ca-file ca-verify-file
        authority_list crl-file
        program OpenVPN plain /etc/openvpn/*.conf /etc/openvpn/*.ovpn /etc/openvpn/*/*.conf /etc/openvpn/*/*.ovpn
        pair cert key
        path ca extra-certs pkcs12 capath
        list crl-verify
        include config
        base cd
        program strongSwan several /etc/swanctl/swanctl.conf /etc/swanctl/conf.d/*.conf /etc/ipsec.conf /etc/ipsec.d/*.conf
        within /etc/swanctl/x509 certs file
        within /etc/swanctl/x509ca cacerts
        within /etc/ipsec.d/certs leftcert rightcert leftcert2 rightcert2
        within /etc/ipsec.d/cacerts cacert
        include include
        program Postfix several indented prefixes /etc/postfix/main.cf
        pair _tls_cert_file _tls_key_file _tls_eccert_file _tls_eckey_file _tls_dcert_file _tls_dkey_file
        path _tls_CAfile _tls_CApath _tls_chain_files
        program PostgreSQL plain /etc/postgresql/*/*/postgresql.conf /var/lib/postgresql/data/postgresql.conf /var/lib/pgsql/data/postgresql.conf
        pair ssl_cert_file ssl_key_file
        path ssl_ca_file
        list ssl_crl_file
        include include include_if_exists include_dir
        base data_directory
        program wpa_supplicant plain /etc/wpa_supplicant/*.conf /etc/wpa_supplicant.conf
        pair client_cert private_key client_cert2 private_key2
        path ca_cert ca_cert2 ca_path
        """

    /// All of them, with their files below `root`, which is the empty text but in tests.
    static func all(below root: String) -> [KnownProgram] {
        var programs: [KnownProgram] = []
        var reader = StatementReader(Array(table.utf8))
        while let words = reader.next() {
            if words[0].elementsEqual("program".utf8) {
                programs.append(KnownProgram(words, root))
            } else {
                programs[programs.count - 1].add(words, root)
            }
        }
        return programs
    }

    private init(_ words: [[UInt8]], _ root: String) {
        name = String(decoding: words[1], as: UTF8.self)
        syntax = ConfigurationSyntax(words[2...])
        for word in words[2...] where word.first == UInt8(ascii: "/") { files.append(root + String(decoding: word, as: UTF8.self)) }
    }

    private mutating func add(_ words: [[UInt8]], _ root: String) {
        let isWithin = words[0].elementsEqual("within".utf8)
        let directory = isWithin ? root + String(decoding: words[1], as: UTF8.self) : ""
        let isPair = words[0].elementsEqual("pair".utf8)
        for (place, word) in words[(isWithin ? 2 : 1)...].enumerated() {
            let isKey = isPair && place & 1 == 1
            let pair = isPair ? directives.count - (isKey ? 1 : 0) : nil
            directives.append(Directive(kind: Self.kind(words[0]), word: word, directory: directory, pair: pair, isKey: isKey))
        }
    }

    private static func kind(_ word: [UInt8]) -> Kind {
        let names = ["list", "include", "lines", "base", "authority", "authority_list", "authority_base", "scope"]
        // `path`, `within` and `pair`.
        return names.firstIndex { word.elementsEqual($0.utf8) }.flatMap { Kind(rawValue: UInt8($0 + 1)) } ?? .path
    }
}
