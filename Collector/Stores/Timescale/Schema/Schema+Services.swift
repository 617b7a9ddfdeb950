/// Tables that the collector's other services write.
extension Schema {
    static func otherMetrics(_ layout: TableLayout) -> [String] {
        let tables: [(table: TimeTable, columns: String, index: String)] = [
            (
                .certificateMetrics,
                "certificate_id varchar(255) NOT NULL, validation_time float8 NOT NULL, response_time float8 NOT NULL, security_score float8 NOT NULL",
                "certificate_id"
            ),
            (
                .blockchainMetrics,
                "transaction_hash varchar(255), chain_id integer, gas_used bigint, confirmation_time float8, status varchar(50)", "chain_id"
            ),
            (
                .quantumMetrics,
                "certificate_id varchar(255), key_size integer, encryption_time float8, decryption_time float8, algorithm varchar(50)",
                "certificate_id"
            ),
        ]
        return tables.flatMap { table, columns, index in
            [
                """
                CREATE TABLE \(table.name) (
                    id bigserial NOT NULL, \(columns), "timestamp" timestamptz NOT NULL, PRIMARY KEY (id, "timestamp")
                )\(parted(table, layout))
                """,
                "CREATE INDEX \(table.name)_\(index) ON \(table.name) (\(index), \"timestamp\" DESC)",
                hypertable(table, layout),
            ].compactMap(\.self)
        }
    }

    /// `version` rises with every change, so that who edits an older state is told.
    static let alerts = [
        """
        CREATE TABLE alert_rules (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name text NOT NULL UNIQUE,
            expression text NOT NULL,
            for_seconds float8 NOT NULL DEFAULT 0,
            labels jsonb NOT NULL DEFAULT '{}',
            annotations jsonb NOT NULL DEFAULT '{}',
            is_enabled boolean NOT NULL DEFAULT true,
            version bigint NOT NULL DEFAULT 1,
            changed_at timestamptz NOT NULL DEFAULT now()
        )
        """,
        """
        CREATE TABLE alert_instances (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            rule bigint NOT NULL REFERENCES alert_rules(id) ON DELETE CASCADE,
            labels jsonb NOT NULL,
            state text NOT NULL,
            value float8,
            active_at timestamptz NOT NULL,
            fired_at timestamptz,
            resolved_at timestamptz,
            UNIQUE (rule, labels)
        )
        """,
        """
        CREATE TABLE dashboards (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name text NOT NULL UNIQUE,
            definition jsonb NOT NULL,
            version bigint NOT NULL DEFAULT 1,
            changed_at timestamptz NOT NULL DEFAULT now()
        )
        """,
    ]
}
