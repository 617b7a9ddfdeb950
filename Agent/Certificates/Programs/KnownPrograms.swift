/// The programs whose configuration is understood, from a table in their own manner.
///
/// `program` begins one: its name, how it writes, and its files. `path` has the directives that name certificates, keys and anchors, `within`
/// those that are relative to a directory of their own, `list` those of revocation lists, `include` those of more configuration, `lines` those of
/// files with a certificate's name at the beginning of each line, `base` those that relative names are relative to, without one the directory of
/// the file, and `authority` those that only `authority_base` holds for: without one their relative names are passed over.
struct KnownProgram {
    let name: String
    let syntax: ConfigurationSyntax
    /// Patterns.
    var files: [String] = []
    var directives: [Directive] = []

    enum Kind: UInt8 { case path, list, include, lines, base, authority, authorityList, authorityBase }

    struct Directive {
        let kind: Kind
        let word: [UInt8]
        /// Where relative names begin; empty for where the program's do.
        let directory: String
    }

    static let table = """
        program nginx blocks /etc/nginx/nginx.conf /usr/local/nginx/conf/nginx.conf
        path ssl_certificate ssl_certificate_key ssl_client_certificate ssl_trusted_certificate proxy_ssl_certificate proxy_ssl_certificate_key
        path proxy_ssl_trusted_certificate grpc_ssl_certificate grpc_ssl_certificate_key uwsgi_ssl_certificate
        list ssl_crl proxy_ssl_crl
        include include
        program Apache either_case /etc/apache2/apache2.conf /etc/httpd/conf/httpd.conf
        path SSLCertificateFile SSLCertificateKeyFile SSLCertificateChainFile SSLCACertificateFile SSLCACertificatePath
        path SSLProxyMachineCertificateFile SSLProxyCACertificateFile MDCertificateFile MDCertificateKeyFile
        list SSLCARevocationFile SSLProxyCARevocationFile
        include Include IncludeOptional
        base ServerRoot
        program mosquitto plain /etc/mosquitto/mosquitto.conf
        path cafile capath certfile keyfile bridge_cafile bridge_capath bridge_certfile bridge_keyfile
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
        path ca cert key extra-certs pkcs12 capath
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
        path _tls_cert_file _tls_key_file _tls_eccert_file _tls_eckey_file _tls_dcert_file _tls_dkey_file _tls_CAfile _tls_CApath _tls_chain_files
        program PostgreSQL plain /etc/postgresql/*/*/postgresql.conf /var/lib/postgresql/data/postgresql.conf /var/lib/pgsql/data/postgresql.conf
        path ssl_cert_file ssl_key_file ssl_ca_file
        list ssl_crl_file
        include include include_if_exists include_dir
        base data_directory
        program wpa_supplicant plain /etc/wpa_supplicant/*.conf /etc/wpa_supplicant.conf
        path ca_cert ca_cert2 ca_path client_cert client_cert2 private_key private_key2
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
        for word in words[(isWithin ? 2 : 1)...] { directives.append(Directive(kind: Self.kind(words[0]), word: word, directory: directory)) }
    }

    private static func kind(_ word: [UInt8]) -> Kind {
        if word.elementsEqual("list".utf8) { return .list }
        if word.elementsEqual("include".utf8) { return .include }
        if word.elementsEqual("lines".utf8) { return .lines }
        if word.elementsEqual("authority".utf8) { return .authority }
        if word.elementsEqual("authority_list".utf8) { return .authorityList }
        if word.elementsEqual("authority_base".utf8) { return .authorityBase }
        return word.elementsEqual("base".utf8) ? .base : .path
    }
}
