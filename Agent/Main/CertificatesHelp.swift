/// What `farwatch-agent certs --help` says.
enum CertificatesHelp {
    static let text = """
        farwatch-agent certs — looks at certificates now and says what is wrong with them, why, and what to do.

        Usage: farwatch-agent certs [OPTION …] [PATH|PATTERN|HOST:PORT …]

        Paths are files, directories (4 levels deep) and patterns with *, ? and […]: PEM, DER, PKCS#7, PKCS#12 and
        Java key stores, with revocation lists and private keys among them. HOST:PORT is an endpoint that serves
        TLS, as is https://HOST:PORT (tls, mqtts, smtps, imaps); smtp://, imap:// and postgres:// before it say
        how TLS begins there, as ports 25, 587, 143 and 5432 do. Where nothing is named it looks at the configured
        paths, else where programs keep certificates and at what their configuration names. It needs no
        configuration, no collector and no root.

          --json               one object: certificates, endpoints and problems, each finding with why and fix
          --at TIME            as of another time, RFC 3339, or a date
          --trust FILE         further anchors, a file or a directory
          --crl FILE           revocation lists, PEM or DER
          --fetch              fetch the revocation lists that certificates name, by HTTP; nothing is fetched without
          --profile P          webpki or device for all of them; by path as configured if not given
          --password-file FILE passwords of PKCS#12 files, a line each
          --config FILE        the configuration, /etc/farwatch/agent.yaml if not given
          --                   what follows are paths, also with a hyphen in front
          --help

        Exit codes, as monitoring plug-ins have them: 0 ok, 1 problems, 2 critical. Besides: 64 wrong usage, 74 the
        output cannot be written, 78 wrong configuration.
        """
}
