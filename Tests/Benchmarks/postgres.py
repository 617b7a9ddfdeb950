"""Rows a second into PostgreSQL: binary COPY through the driver, and all the way from simulated devices, beside libpq doing nothing else."""

import ctypes
import glob
import json
import os
import socket
import struct
import subprocess
import tempfile
import time

from figures import Figure, NotMeasured
from stage import Stage, cpu_seconds

ROWS, ROWS_IN_A_TRANSACTION, ROUNDS = 300_000, 10_000, 3
DEVICES = [f"edge-{number:04d}".encode() for number in range(100)]
# 2026-01-01 in microseconds since 2000, which is how the server counts.
FIRST_TIMESTAMP = (1_767_225_600 - 946_684_800) * 1_000_000
HEADER, TRAILER = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
CHUNK_BYTES = 64 << 10
TABLE = """
    DROP TABLE IF EXISTS device_metrics;
    CREATE TABLE device_metrics(
        id bigserial, device_id varchar(255) NOT NULL, cpu_usage float, memory_usage float, network_latency float, certificate_status varchar(50),
        "timestamp" timestamptz NOT NULL, PRIMARY KEY (id, "timestamp"));
    CREATE INDEX ON device_metrics(device_id, "timestamp" DESC)"""
COPY = """COPY device_metrics(device_id, cpu_usage, memory_usage, network_latency, certificate_status, "timestamp") FROM STDIN (FORMAT binary)"""


# What devices have in their buffers when they connect.
FLEET_DEVICES, FLEET_SERIES, FLEET_TICKS, FLEET_DRAIN_SECONDS = 20, 20, 2_560, 300
# What the collector writes a row a sample or tick into, with the columns it writes.
SAMPLE_TABLES = {
    "device_metrics": 'device_id, cpu_usage, memory_usage, network_latency, "timestamp"',
    "metric_samples": 'series, "timestamp", value',
}


def measure(programs, seconds):
    yield from measure_copy(programs, seconds)
    yield from measure_fleet(programs)


def measure_copy(programs, _seconds):
    with Server() as server:
        connection = f"host=127.0.0.1 port={server.port} user=postgres dbname=postgres"
        libpq = Libpq(connection)
        payloads = [payload(first) for first in range(0, ROWS, ROWS_IN_A_TRANSACTION)]
        ours, theirs = [], []
        # In turn, so that whatever else the machine does meets both; the best of each counts.
        for _ in range(ROUNDS):
            libpq.execute(TABLE)
            theirs.append(libpq.copy(payloads))
            libpq.expect_rows(ROWS)
            libpq.execute(TABLE)
            ours.append(copied_by_driver(programs, connection))
            libpq.expect_rows(ROWS)
        yield Figure(
            "postgres.copy_rows_per_second", ROWS / min(ours), "rows/s", "libpq alone", ROWS / min(theirs),
            note=f"device_metrics with two indexes, {ROWS_IN_A_TRANSACTION} rows a transaction, rows encoded on the way; the peer's are encoded "
            f"before; best of {ROUNDS} in turn, PostgreSQL {server.version}, fsync off")


def measure_fleet(programs):
    """The same rows, once from devices through broker and collector, then by libpq alone into the same tables, emptied. The best of each counts."""
    rounds = [measure_round(programs) for _ in range(ROUNDS)]
    rows = rounds[0].rows
    best = min(rounds, key=lambda one: one.ours)
    yield Figure(
        "postgres.rows_per_second", rows / best.ours, "rows/s", "libpq alone, the same rows into the same tables",
        rows / min(one.theirs for one in rounds),
        note=f"{FLEET_DEVICES} devices of {FLEET_SERIES} series: {rows} rows in {best.ours:.1f} s, with roll-ups and accounts; the peer writes "
        f"{ROWS_IN_A_TRANSACTION} rows a transaction; processor time: broker {best.broker:.1f} s, collector {best.collector:.1f} s; best of {ROUNDS} in turn, "
        f"fsync off")


class Round:
    """Seconds and rows of one run of each."""

    def __init__(self, rows, ours, theirs, broker, collector):
        self.rows, self.ours, self.theirs, self.broker, self.collector = rows, ours, theirs, broker, collector


def measure_round(programs):
    with Server() as server, Stage(programs) as stage:
        broker = stage.start_broker()
        collector = stage.start_collector({"FARWATCH_TIMESERIES_POSTGRES_URI": f"postgres://postgres@127.0.0.1:{server.port}/postgres"})
        before = cpu_seconds(broker), cpu_seconds(collector)
        fleet = stage.start("fleet", [
            stage.programs.fleet, "--port", str(stage.broker_port), "--devices", str(FLEET_DEVICES), "--series", str(FLEET_SERIES),
            "--backlog", str(FLEET_TICKS), "--seal-age", "3600", "--for", "100ms", "--drain", str(FLEET_DRAIN_SECONDS),
            "--directory", stage.path("fleet"), "--json", "--quiet"], stdout=subprocess.PIPE)
        result = json.loads(fleet.communicate()[0] or b"{}")
        spent = cpu_seconds(broker) - before[0], cpu_seconds(collector) - before[1]
        if not result.get("complete"):
            raise NotMeasured(f"the fleet did not deliver: {result}\n{stage.last_lines('fleet')}")
        libpq = Libpq(f"host=127.0.0.1 port={server.port} user=postgres dbname=postgres")
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


class Libpq:
    """A connection that blocks, by the functions of libpq."""

    COMMAND_OK, TUPLES_OK, COPY_OUT, COPY_IN = 1, 2, 3, 4

    def __init__(self, connection):
        self.library = ctypes.CDLL("libpq.so.5")
        for name, result, arguments in [
            ("PQconnectdb", ctypes.c_void_p, [ctypes.c_char_p]), ("PQstatus", ctypes.c_int, [ctypes.c_void_p]),
            ("PQexec", ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p]), ("PQresultStatus", ctypes.c_int, [ctypes.c_void_p]),
            ("PQgetResult", ctypes.c_void_p, [ctypes.c_void_p]), ("PQclear", None, [ctypes.c_void_p]),
            ("PQgetvalue", ctypes.c_char_p, [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]),
            ("PQputCopyData", ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]),
            ("PQgetCopyData", ctypes.c_int, [ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p), ctypes.c_int]),
            ("PQfreemem", None, [ctypes.c_void_p]),
            ("PQputCopyEnd", ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p]), ("PQerrorMessage", ctypes.c_char_p, [ctypes.c_void_p]),
        ]:
            function = getattr(self.library, name)
            function.restype, function.argtypes = result, arguments
        self.handle = self.library.PQconnectdb(connection.encode())
        self.expect(self.library.PQstatus(self.handle) == 0)

    def expect(self, holds):
        if not holds:
            raise NotMeasured(self.library.PQerrorMessage(self.handle).decode().strip())

    def execute(self, sql, status=COMMAND_OK):
        result = self.library.PQexec(self.handle, sql.encode())
        self.expect(self.library.PQresultStatus(result) == status)
        return result

    def expect_rows(self, rows):
        result = self.execute("SELECT count(*) FROM device_metrics", self.TUPLES_OK)
        if int(self.library.PQgetvalue(result, 0, 0)) != rows:
            raise NotMeasured("rows are missing")

    def copy_out(self, sql):
        self.library.PQclear(self.execute(sql, self.COPY_OUT))
        parts, buffer = [], ctypes.c_void_p()
        while (length := self.library.PQgetCopyData(self.handle, ctypes.byref(buffer), 0)) > 0:
            parts.append(ctypes.string_at(buffer, length))
            self.library.PQfreemem(buffer)
        self.expect(length == -1)
        while result := self.library.PQgetResult(self.handle):
            self.library.PQclear(result)
        return b"".join(parts)

    def copy(self, payloads, sql=COPY):
        pieces = [[payload[at:at + CHUNK_BYTES] for at in range(0, len(payload), CHUNK_BYTES)] for payload in payloads]
        began = time.monotonic()
        for chunks in pieces:
            self.library.PQclear(self.execute(sql, self.COPY_IN))
            for chunk in chunks:
                self.expect(self.library.PQputCopyData(self.handle, chunk, len(chunk)) == 1)
            self.expect(self.library.PQputCopyEnd(self.handle, None) == 1)
            while result := self.library.PQgetResult(self.handle):
                self.expect(self.library.PQresultStatus(result) == self.COMMAND_OK)
                self.library.PQclear(result)
        return time.monotonic() - began


class Server:
    """Debian's PostgreSQL on a free port; it ends with this."""

    READY_WITHIN_SECONDS = 30

    def __enter__(self):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[-2]))
        if not found:
            raise NotMeasured("there is no PostgreSQL server in /usr/lib/postgresql (package postgresql-15)")
        self.version = found[-1].split("/")[-2]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.directory = tempfile.mkdtemp(prefix="farwatch-postgres-")
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Servers", "postgres")
        self.process = subprocess.Popen([script, found[-1], self.directory, str(self.port), "max_wal_size=4GB"], stdin=subprocess.PIPE)
        until = time.monotonic() + self.READY_WITHIN_SECONDS
        ready = [os.path.join(found[-1], "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(ready, check=False).returncode != 0:
            if time.monotonic() > until or self.process.poll() is not None:
                self.__exit__()
                raise NotMeasured("the server did not start")
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
