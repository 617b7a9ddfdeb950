import PostgresDriver

/// What to do about an error of the server's.
enum PostgresRemedy {
    static func text(_ reason: PostgresErrorReason) -> String {
        switch reason {
        case .configuration: "check timeseries.postgres.uri: the database, the role and their settings"
        case .authentication: "check the user in timeseries.postgres.uri, timeseries.postgres.password_file and the server's pg_hba.conf"
        case .tls:
            "check sslmode and sslrootcert in timeseries.postgres.uri, and the server's certificate "
                + "(openssl s_client -starttls postgres -connect HOST:PORT says when it ends and who signed it)"
        case .unreachable, .disconnected, .timedOut, .outcomeUnknown:
            "start the server, or check host and port in timeseries.postgres.uri and what lies between"
        case .notReady: "the server is starting or stopping; try again"
        case .unsupportedServer: "use PostgreSQL 14 or later"
        case .tooManyConnections, .poolExhausted, .poolClosed:
            "raise the server's max_connections, or lower timeseries.postgres.connections_max of the collectors"
        case .readOnly: "name the primary in timeseries.postgres.uri (target_session_attrs=read-write)"
        case .diskFull: "make room on the server's disk"
        case .resources: "look into the server's log: memory, or another of its limits"
        case .permission: "grant the role what the message names; it must own the tables"
        case .conflict, .locked, .cancelled: "something else holds the tables; try again"
        case .constraint, .data, .statement, .transactionAborted, .encoding, .decoding, .tooMuch, .failed:
            "look into the server's log; the schema may not be what this program made"
        }
    }
}
