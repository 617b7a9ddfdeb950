"""Rows a second into PostgreSQL: binary COPY through the driver, and all the way from simulated devices, beside libpq doing nothing else."""

import json
import statistics
import struct
import subprocess

import dashboard
import freshness
import month
from figures import Figure, NotMeasured
from servers import Libpq, Server
from stage import Stage, cpu_seconds

ROWS, ROWS_IN_A_TRANSACTION, ROUNDS = 300_000, 10_000, 3
DEVICES = [f"edge-{number:04d}".encode() for number in range(100)]
# 2026-01-01 in microseconds since 2000, which is how the server counts.
FIRST_TIMESTAMP = (1_767_225_600 - 946_684_800) * 1_000_000
HEADER, TRAILER = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
TABLE = """
    DROP TABLE IF EXISTS device_metrics;
    CREATE TABLE device_metrics(
        id bigserial, device_id varchar(255) NOT NULL, cpu_usage float, memory_usage float, network_latency float, certificate_status varchar(50),
        "timestamp" timestamptz NOT NULL, PRIMARY KEY (id, "timestamp"));
    CREATE INDEX ON device_metrics(device_id, "timestamp" DESC)"""
COPY = """COPY device_metrics(device_id, cpu_usage, memory_usage, network_latency, certificate_status, "timestamp") FROM STDIN (FORMAT binary)"""


# What devices have in their buffers when they connect.
FLEET_ROUNDS = 5
FLEET_DEVICES, FLEET_SERIES, FLEET_TICKS, FLEET_DRAIN_SECONDS = 20, 20, 2_560, 300
# What the collector writes a row a sample or tick into, with the columns it writes.
SAMPLE_TABLES = {
    "device_metrics": 'device_id, cpu_usage, memory_usage, network_latency, "timestamp"',
    "metric_samples": 'series, "timestamp", value',
}


def measure(programs, seconds):
    failures = []
    # What cannot be measured keeps the others from nothing.
    for part in measure_copy, measure_fleet, freshness.measure, dashboard.measure, month.measure:
        try:
            yield from part(programs, seconds)
        except (NotMeasured, OSError) as error:
            failures.append(str(error))
    if failures:
        raise NotMeasured("; ".join(failures))


def measure_copy(programs, _seconds):
    with Server() as server:
        connection = f"host=127.0.0.1 port={server.port} user=postgres dbname=postgres"
        libpq = Libpq(connection)
        payloads = [payload(first) for first in range(0, ROWS, ROWS_IN_A_TRANSACTION)]
        ours, theirs = [], []
        # In turn, so that whatever else the machine does meets both; the best of each counts.
        for _ in range(ROUNDS):
            libpq.execute(TABLE)
            theirs.append(libpq.copy(payloads, COPY))
            libpq.expect_rows(ROWS)
            libpq.execute(TABLE)
            ours.append(copied_by_driver(programs, connection))
            libpq.expect_rows(ROWS)
        yield Figure(
            "postgres.copy_rows_per_second", ROWS / min(ours), "rows/s", "libpq alone", ROWS / min(theirs),
            note=f"device_metrics with two indexes, {ROWS_IN_A_TRANSACTION} rows a transaction, rows encoded on the way; the peer's are encoded "
            f"before; best of {ROUNDS} in turn, PostgreSQL {server.version}, fsync off")


def measure_fleet(programs, _seconds):
    """The same rows, once from devices through broker and collector, then by libpq alone into the same tables, emptied. The medians count."""
    rounds = [measure_round(programs) for _ in range(FLEET_ROUNDS)]
    rows = rounds[0].rows
    ours = statistics.median(one.ours for one in rounds)
    ratios = sorted(one.theirs / one.ours for one in rounds)
    yield Figure(
        "postgres.rows_per_second", rows / ours, "rows/s", "libpq alone, the same rows into the same tables",
        rows / statistics.median(one.theirs for one in rounds),
        note=f"{FLEET_DEVICES} devices of {FLEET_SERIES} series: {rows} rows in {ours:.1f} s, with roll-ups and accounts; the peer writes "
        f"{ROWS_IN_A_TRANSACTION} rows a transaction on one connection; processor time: broker {rounds[0].broker:.1f} s, collector "
        f"{rounds[0].collector:.1f} s; medians of {FLEET_ROUNDS} in turn, ratios {ratios[0]:.2f} to {ratios[-1]:.2f}; fsync off")


class Round:
    """Seconds and rows of one run of each."""

    def __init__(self, rows, ours, theirs, broker, collector):
        self.rows, self.ours, self.theirs, self.broker, self.collector = rows, ours, theirs, broker, collector


def measure_round(programs):
    with Server() as server, Stage(programs) as stage:
        broker = stage.start_broker()
        collector = stage.start_collector({"FARWATCH_TIMESERIES_POSTGRES_URI": server.uri})
        before = cpu_seconds(broker), cpu_seconds(collector)
        fleet = stage.start("fleet", [
            stage.programs.fleet, "--port", str(stage.broker_port), "--devices", str(FLEET_DEVICES), "--series", str(FLEET_SERIES),
            "--backlog", str(FLEET_TICKS), "--seal-age", "3600", "--for", "100ms", "--drain", str(FLEET_DRAIN_SECONDS),
            "--directory", stage.path("fleet"), "--json", "--quiet"], stdout=subprocess.PIPE)
        result = json.loads(fleet.communicate()[0] or b"{}")
        spent = cpu_seconds(broker) - before[0], cpu_seconds(collector) - before[1]
        if not result.get("complete"):
            raise NotMeasured(f"the fleet did not deliver: {result}\n{stage.last_lines('fleet')}")
        libpq = server.connect()
        rows, theirs = 0, 0.0
        for table, columns in SAMPLE_TABLES.items():
            payloads, count = copied_out(libpq, f"COPY (SELECT {columns} FROM {table}) TO STDOUT (FORMAT binary)")
            libpq.execute(f"TRUNCATE {table}")
            theirs += libpq.copy(payloads, f"COPY {table} ({columns}) FROM STDIN (FORMAT binary)")
            rows += count
        return Round(rows, result["seconds"], theirs, *spent)


def copied_out(libpq, sql):
    """The rows of a binary COPY as the payloads of one COPY for each transaction, and how many there are."""
    rows, at, data = [], len(HEADER), libpq.copy_out(sql)
    while data[at:at + 2] != TRAILER:
        begin, columns, at = at, struct.unpack_from(">h", data, at)[0], at + 2
        for _ in range(columns):
            at += 4 + max(0, struct.unpack_from(">i", data, at)[0])
        rows.append(data[begin:at])
    parts = [rows[first:first + ROWS_IN_A_TRANSACTION] for first in range(0, len(rows), ROWS_IN_A_TRANSACTION)]
    return [HEADER + b"".join(part) + TRAILER for part in parts], len(rows)


def copied_by_driver(programs, connection):
    run = subprocess.run([programs.copy_rows, connection, str(ROWS), str(ROWS_IN_A_TRANSACTION)], capture_output=True, text=True)
    if run.returncode != 0:
        raise NotMeasured(run.stderr.strip()[-300:])
    return float(run.stdout)


def payload(first):
    """The rows of one transaction, the same that farwatch-copy-rows makes."""
    parts = [HEADER]
    for row in range(first, min(ROWS, first + ROWS_IN_A_TRANSACTION)):
        device = DEVICES[row % len(DEVICES)]
        parts.append(struct.pack(f">hi{len(device)}s", 6, len(device), device))
        parts.append(struct.pack(">idididi5s", 8, row % 1000 / 1000, 8, row % 777 / 777, 8, row % 90 / 1000, 5, b"valid"))
        parts.append(struct.pack(">iq", 8, FIRST_TIMESTAMP + row // len(DEVICES) * 1_000_000))
    return b"".join(parts + [TRAILER])
