"""Rows a second into PostgreSQL: binary COPY through the driver, beside libpq doing nothing else."""

import ctypes
import glob
import os
import socket
import struct
import subprocess
import tempfile
import time

from figures import Figure, NotMeasured

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


def measure(programs, _seconds):
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

    COMMAND_OK, TUPLES_OK, COPY_IN = 1, 2, 4

    def __init__(self, connection):
        self.library = ctypes.CDLL("libpq.so.5")
        for name, result, arguments in [
            ("PQconnectdb", ctypes.c_void_p, [ctypes.c_char_p]), ("PQstatus", ctypes.c_int, [ctypes.c_void_p]),
            ("PQexec", ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p]), ("PQresultStatus", ctypes.c_int, [ctypes.c_void_p]),
            ("PQgetResult", ctypes.c_void_p, [ctypes.c_void_p]), ("PQclear", None, [ctypes.c_void_p]),
            ("PQgetvalue", ctypes.c_char_p, [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]),
            ("PQputCopyData", ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]),
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

    def copy(self, payloads):
        pieces = [[payload[at:at + CHUNK_BYTES] for at in range(0, len(payload), CHUNK_BYTES)] for payload in payloads]
        began = time.monotonic()
        for chunks in pieces:
            self.library.PQclear(self.execute(COPY, self.COPY_IN))
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
