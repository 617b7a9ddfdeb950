import Telemetry

/// The tables of the embedded make, in `timeseries.sqlite`. Times are milliseconds since 1970 (UTC); streams are the 64 bits of the stream as a
/// signed integer.
///
/// - `devices`: a device's number and its sums. `span_ms` is the longest time that one of its blocks covers, so that a range query knows how
///   far beyond its end a block may end that still reaches into it.
/// - `blocks`: a sample block as it came, with what is needed to find it.
/// - `taken`: the sequences of a stream that are taken (`SequenceRanges.encoded`), none known below `floor`.
/// - `series`: a series' metric, label names and values, parted by zero bytes.
/// - `latest`: a device's newest tick, as a block of one tick.
/// - `quarantine`: what was refused, as it came.
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
        """
    ]
}
