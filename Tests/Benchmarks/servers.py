"""A PostgreSQL server of a benchmark's own, and libpq to speak to it."""

import ctypes
import glob
import os
import socket
import subprocess
import tempfile
import time

from figures import NotMeasured

CHUNK_BYTES = 64 << 10


class Libpq:
    """A connection that blocks, by the functions of libpq."""

    COMMAND_OK, TUPLES_OK, COPY_OUT, COPY_IN = 1, 2, 3, 4

    def __init__(self, connection):
        self.library = ctypes.CDLL("libpq.so.5")
        for name, result, arguments in [
            ("PQconnectdb", ctypes.c_void_p, [ctypes.c_char_p]), ("PQstatus", ctypes.c_int, [ctypes.c_void_p]),
            ("PQexec", ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p]), ("PQresultStatus", ctypes.c_int, [ctypes.c_void_p]),
            ("PQgetResult", ctypes.c_void_p, [ctypes.c_void_p]), ("PQclear", None, [ctypes.c_void_p]),
            ("PQntuples", ctypes.c_int, [ctypes.c_void_p]), ("PQnfields", ctypes.c_int, [ctypes.c_void_p]),
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

    def rows(self, sql):
        """All rows of a query, as text."""
        result = self.execute(sql, self.TUPLES_OK)
        found = [
            [self.library.PQgetvalue(result, row, column).decode() for column in range(self.library.PQnfields(result))]
            for row in range(self.library.PQntuples(result))]
        self.library.PQclear(result)
        return found

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

    def copy(self, payloads, sql):
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
    """A server on a free port; it ends with this. Debian's PostgreSQL, or TimescaleDB under its own licence where there is one."""

    READY_WITHIN_SECONDS = 300
    COMMUNITY = "FARWATCH_TEST_POSTGRES_COMMUNITY"

    def __init__(self, is_community=False, settings=("max_wal_size=4GB",)):
        self.settings = list(settings)
        if is_community:
            self.programs = os.environ.get(self.COMMUNITY)
            if not self.programs:
                raise NotMeasured(f"{self.COMMUNITY} names no server's programs")
            self.settings += ["shared_preload_libraries=timescaledb", "timescaledb.telemetry_level=off"]
        else:
            found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[-2]))
            if not found:
                raise NotMeasured("there is no PostgreSQL server in /usr/lib/postgresql (package postgresql-15)")
            self.programs = found[-1]
        self.version = self.programs.split("/")[-2]

    def __enter__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.directory = tempfile.mkdtemp(prefix="farwatch-postgres-")
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Servers", "postgres")
        self.process = subprocess.Popen([script, self.programs, self.directory, str(self.port), *self.settings], stdin=subprocess.PIPE)
        until = time.monotonic() + self.READY_WITHIN_SECONDS
        ready = [os.path.join(self.programs, "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(ready, check=False).returncode != 0:
            if time.monotonic() > until or self.process.poll() is not None:
                self.__exit__()
                raise NotMeasured("the server did not start")
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    @property
    def uri(self):
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def connect(self):
        return Libpq(f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres")
