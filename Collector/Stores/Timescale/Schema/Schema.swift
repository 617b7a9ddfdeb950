import TimeSeriesStores

/// The tables of the PostgreSQL make. Streams are the 64 bits of the stream as a signed integer; ranges of sequences are `SequenceRanges.encoded`.
///
/// - `device_metrics`: a row a tick that has one of its three values; `metric_samples`: a row a sample of every other series, numbered by
///   `metric_series`. The three have numbers there too, for the roll-ups.
/// - `rollups_1m`, `_5m`, `_1h`, `_1d`: samples of a series taken together, brought up to date in the transaction that writes the samples, so that they
///   are never behind and late samples are in them at once. `area`, by the minute, is `Rollup.area`. The views `metrics_1m` … `metrics_1d` have names instead of numbers.
/// - `devices`: a device's number, its sums, its newest tick (a block of one tick) and who wrote that. Whoever commits for a device holds its row.
/// - `sample_batches`: what a batch covers (`TickCoverage`), without its samples; `timestamp` is the end of it.
/// - `stream_accounts`: a stream's account (`TakenSequences`).
/// - `eviction_receipts`: what a device says it gave up.
/// - `quarantine`: what was refused, as it came.
enum Schema {
    static func samples(_ layout: TableLayout) -> [String] {
        [
            """
            CREATE SEQUENCE device_metrics_id_seq CACHE 1000
            """,
            """
            CREATE TABLE device_metrics (
                id bigint NOT NULL DEFAULT nextval('device_metrics_id_seq'),
                device_id varchar(255) NOT NULL,
                cpu_usage float8,
                memory_usage float8,
                network_latency float8,
                certificate_status varchar(50),
                "timestamp" timestamptz NOT NULL,
                PRIMARY KEY (id, "timestamp")
            )\(parted(.deviceMetrics, layout))
            """,
            "ALTER SEQUENCE device_metrics_id_seq OWNED BY device_metrics.id",
            "CREATE INDEX device_metrics_device ON device_metrics (device_id, \"timestamp\" DESC)",
            """
            CREATE TABLE metric_samples (
                series bigint NOT NULL,
                "timestamp" timestamptz NOT NULL,
                value float8 NOT NULL
            )\(parted(.metricSamples, layout))
            """,
            "CREATE INDEX metric_samples_series ON metric_samples (series, \"timestamp\" DESC)",
            """
            CREATE TABLE sample_batches (
                device bigint NOT NULL,
                stream bigint NOT NULL,
                first bigint NOT NULL,
                last bigint NOT NULL,
                started timestamptz NOT NULL,
                "timestamp" timestamptz NOT NULL,
                interval_ms bigint NOT NULL,
                ticks integer NOT NULL,
                samples bigint NOT NULL,
                resolution integer NOT NULL,
                pauses bytea
            )\(parted(.sampleBatches, layout))
            """,
            "CREATE INDEX sample_batches_device ON sample_batches (device, \"timestamp\", started)",
        ] + [TimeTable.deviceMetrics, .metricSamples, .sampleBatches].compactMap { hypertable($0, layout) }
    }

    static func rollups(_ layout: TableLayout) -> [String] {
        RollupLevel.allCases.flatMap { level in
            [
                """
                CREATE TABLE \(level.table.name) (
                    series bigint NOT NULL,
                    bucket timestamptz NOT NULL,
                    count bigint NOT NULL,
                    mean float8 NOT NULL,
                    min float8 NOT NULL,
                    max float8 NOT NULL,
                    last float8 NOT NULL,
                    last_at timestamptz NOT NULL,
                    PRIMARY KEY (series, bucket)
                )\(parted(level.table, layout))
                """,
                hypertable(level.table, layout),
            ].compactMap(\.self)
        }
    }

    static func accounts(_ layout: TableLayout) -> [String] {
        [
            """
            CREATE TABLE devices (
                number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                device varchar(255) NOT NULL UNIQUE,
                batches bigint NOT NULL DEFAULT 0,
                samples bigint NOT NULL DEFAULT 0,
                bytes bigint NOT NULL DEFAULT 0,
                span_ms bigint NOT NULL DEFAULT 0,
                latest_end timestamptz,
                latest_start timestamptz,
                latest bytea,
                latest_writer bigint,
                latest_transaction bigint
            ) WITH (fillfactor = 70)
            """,
            """
            CREATE TABLE metric_series (
                id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                device bigint NOT NULL REFERENCES devices(number),
                key bytea NOT NULL,
                metric text NOT NULL,
                labels jsonb NOT NULL,
                UNIQUE (device, key)
            )
            """,
            "CREATE INDEX metric_series_metric ON metric_series (metric, device)",
            """
            CREATE TABLE stream_accounts (
                device bigint NOT NULL REFERENCES devices(number),
                stream bigint NOT NULL,
                floor bigint NOT NULL,
                closed bytea NOT NULL,
                refused bytea,
                PRIMARY KEY (device, stream)
            ) WITH (fillfactor = 70)
            """,
            """
            CREATE TABLE eviction_receipts (
                id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
                device bigint NOT NULL REFERENCES devices(number),
                stream bigint NOT NULL,
                action text NOT NULL,
                cause text NOT NULL,
                resolution integer NOT NULL,
                sequences bytea NOT NULL,
                from_ms bigint,
                to_ms bigint,
                ticks bigint NOT NULL,
                samples bigint NOT NULL,
                samples_left bigint NOT NULL
            )
            """,
            "CREATE INDEX eviction_receipts_device ON eviction_receipts (device, action, id)",
            """
            CREATE TABLE quarantine (
                id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                device text NOT NULL,
                reason text NOT NULL,
                at_ms bigint NOT NULL,
                stream bigint,
                first bigint,
                last bigint,
                bytes bytea NOT NULL
            )
            """,
            "CREATE INDEX quarantine_device ON quarantine (device, id)",
        ]
    }

    // MARK: Layouts

    static func parted(_ table: TimeTable, _ layout: TableLayout) -> String {
        layout == .partitions ? " PARTITION BY RANGE (\"\(table.column)\")" : ""
    }

    /// Nil where partitions are made as they are needed.
    static func hypertable(_ table: TimeTable, _ layout: TableLayout) -> String? {
        guard layout == .hypertables else { return nil }
        return """
            SELECT create_hypertable('\(table.name)', '\(table.column)', chunk_time_interval => interval '\(table.widthDays) days', \
            create_default_indexes => false)
            """
    }
}
