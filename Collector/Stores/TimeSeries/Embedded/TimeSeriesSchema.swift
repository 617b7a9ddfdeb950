import Telemetry

/// The tables of the embedded make, in `timeseries.sqlite`. Times are milliseconds since 1970 (UTC); streams are the 64 bits of the stream as a
/// signed integer.
///
/// - `devices`: a device's number and its sums. `span_ms` is the longest time that one of its blocks covers, so that a range query knows how
///   far beyond its end a block may end that still reaches into it.
/// - `blocks`: a sample block as it came, with what is needed to find it and to say what time it covers (`TickCoverage`). The bytes stand last, so that
///   the rest of a row is read without them.
/// - `taken`: a stream's account (`TakenSequences`): the sequences that are closed, and those among them that were refused, both as
///   `SequenceRanges.encoded`; none known below `floor`.
/// - `receipts`: what a device says it gave up (`EvictionReceipt`).
/// - `series`: a series' metric, label names and values, parted by zero bytes.
/// - `certificate_metrics`: what validating certificates measured (`CertificateValidation`).
/// - `quarantine`: what was refused, as it came, and which sequences of its stream it stands for where that could be read.
enum TimeSeriesSchema {
    static let file = "timeseries.sqlite"

    static let migrations = [
        """
        CREATE TABLE devices (
            number INTEGER PRIMARY KEY,
            device TEXT NOT NULL UNIQUE,
            blocks INTEGER NOT NULL DEFAULT 0,
            samples INTEGER NOT NULL DEFAULT 0,
            bytes INTEGER NOT NULL DEFAULT 0,
            span_ms INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE TABLE blocks (
            id INTEGER PRIMARY KEY,
            device INTEGER NOT NULL REFERENCES devices(number),
            stream INTEGER NOT NULL,
            sequence INTEGER NOT NULL,
            start_ms INTEGER NOT NULL,
            end_ms INTEGER NOT NULL,
            ticks INTEGER NOT NULL,
            samples INTEGER NOT NULL,
            bytes BLOB NOT NULL,
            UNIQUE (device, stream, sequence)
        ) STRICT;
        CREATE INDEX blocks_by_time ON blocks (device, end_ms, start_ms);
        CREATE TABLE taken (
            device INTEGER NOT NULL REFERENCES devices(number),
            stream INTEGER NOT NULL,
            floor INTEGER NOT NULL,
            ranges BLOB NOT NULL,
            PRIMARY KEY (device, stream)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE series (
            device INTEGER NOT NULL REFERENCES devices(number),
            key BLOB NOT NULL,
            PRIMARY KEY (device, key)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE latest (
            device INTEGER PRIMARY KEY REFERENCES devices(number),
            at_ms INTEGER NOT NULL,
            bytes BLOB NOT NULL
        ) STRICT;
        CREATE TABLE quarantine (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            device TEXT NOT NULL,
            reason TEXT NOT NULL,
            at_ms INTEGER NOT NULL,
            bytes BLOB NOT NULL
        ) STRICT;
        """,
        """
        CREATE TABLE blocks_2 (
            id INTEGER PRIMARY KEY,
            device INTEGER NOT NULL REFERENCES devices(number),
            stream INTEGER NOT NULL,
            first INTEGER NOT NULL,
            sequence INTEGER NOT NULL,
            start_ms INTEGER NOT NULL,
            end_ms INTEGER NOT NULL,
            interval_ms INTEGER NOT NULL,
            ticks INTEGER NOT NULL,
            samples INTEGER NOT NULL,
            resolution INTEGER NOT NULL,
            pauses BLOB,
            bytes BLOB NOT NULL,
            UNIQUE (device, stream, sequence)
        ) STRICT;
        INSERT INTO blocks_2
            SELECT id, device, stream, sequence, sequence, start_ms, end_ms, (end_ms - start_ms) / max(1, ticks - 1), ticks, samples, 0, NULL, bytes
            FROM blocks ORDER BY id;
        DROP TABLE blocks;
        ALTER TABLE blocks_2 RENAME TO blocks;
        CREATE INDEX blocks_by_time ON blocks (device, end_ms, start_ms);
        DROP TABLE latest;
        ALTER TABLE taken ADD COLUMN refused BLOB;
        CREATE TABLE receipts (
            id INTEGER PRIMARY KEY,
            device INTEGER NOT NULL REFERENCES devices(number),
            stream INTEGER NOT NULL,
            action TEXT NOT NULL,
            cause TEXT NOT NULL,
            resolution INTEGER NOT NULL,
            sequences BLOB NOT NULL,
            from_ms INTEGER,
            to_ms INTEGER,
            ticks INTEGER NOT NULL,
            samples INTEGER NOT NULL,
            samples_left INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX receipts_by_device ON receipts (device, action, id);
        ALTER TABLE quarantine ADD COLUMN stream INTEGER;
        ALTER TABLE quarantine ADD COLUMN first INTEGER;
        ALTER TABLE quarantine ADD COLUMN last INTEGER;
        """,
        """
        CREATE TABLE certificate_metrics (
            id INTEGER PRIMARY KEY,
            certificate_id TEXT NOT NULL,
            validation_time REAL NOT NULL,
            response_time REAL NOT NULL,
            security_score REAL NOT NULL,
            timestamp_ms INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX certificate_metrics_by_certificate ON certificate_metrics (certificate_id, timestamp_ms);
        CREATE INDEX certificate_metrics_by_time ON certificate_metrics (timestamp_ms);
        """,
    ]
}
