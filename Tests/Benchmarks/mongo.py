"""Documents a second into MongoDB: events through the collector's ingestion, beside a loop of bulk writes alone on the same server."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time

from figures import Figure, NotMeasured

EVENTS, ROUNDS = 20_000, 9
LIMIT = 0.7


def measure(programs, _seconds):
    with Server() as server:
        run = subprocess.run(
            [programs.upsert_documents, f"mongodb://127.0.0.1:{server.port}/", str(EVENTS), str(ROUNDS), server.path("collector")],
            capture_output=True, text=True, check=False)
        if run.returncode != 0:
            raise NotMeasured(run.stderr.strip()[-300:])
        took = json.loads(run.stdout)
        yield Figure(
            "mongo.documents_per_second", EVENTS / took["path_seconds"], "documents/s", "bulk writes alone through the same driver, 1,000 at once",
            EVENTS / took["bare_seconds"], limit=LIMIT * EVENTS / took["bare_seconds"],
            note=f"{EVENTS} events of 100 devices, from the collector's queue to acknowledged, with accounts on the embedded store, no broker; the "
            f"peer's documents are made before; best of {ROUNDS} in turn, a single MongoDB 6.0, each write forced to the disk")


class Server:
    """A mongod on a free port; it ends with this."""

    READY_WITHIN_SECONDS = 30

    def __enter__(self):
        servers = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Servers")
        fetched = subprocess.run([os.path.join(servers, "mongo-fetch")], capture_output=True, text=True, check=False)
        if fetched.returncode != 0:
            raise NotMeasured((fetched.stderr.strip().splitlines() or ["there is no mongod"])[-1])
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.directory = tempfile.mkdtemp(prefix="farwatch-mongo-")
        self.process = subprocess.Popen(
            [os.path.join(servers, "mongo"), fetched.stdout.strip(), self.path("server"), str(self.port)], stdin=subprocess.PIPE)
        until = time.monotonic() + self.READY_WITHIN_SECONDS
        while not self.listens():
            if time.monotonic() > until or self.process.poll() is not None:
                self.__exit__()
                raise NotMeasured("the server did not start")
            time.sleep(0.05)
        return self

    def path(self, name):
        return os.path.join(self.directory, name)

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
