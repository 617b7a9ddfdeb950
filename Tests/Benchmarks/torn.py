"""What is delivered of a device's backlog when the last page of its buffer is torn off, beside vmagent and the end of its queue.

The peer's fault is described in https://github.com/VictoriaMetrics/VictoriaMetrics/issues/11192: its queue is begun anew, empty, when the file is shorter
than its own account of it.
"""

import contextlib
import datetime
import glob
import json
import os
import random
import sqlite3
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

from backlog import INTERVAL_SECONDS, SERIES, buffer_settings, fill
from figures import Figure, NotMeasured
from stage import HOST, Stage, end, free_port, wait_for

DEVICE = "edge-0001"
TICKS = 2_000
SAMPLES = TICKS * SERIES
TORN_BYTES = 4_096
WAIT_SECONDS_MAX = 60
# vmagent forms blocks each second, and sends what its queue holds at once.
SETTLING_SECONDS = 3
QUIET_SECONDS = 5
LOOK_SECONDS = 0.2
PACKAGE = "victoria-metrics"
PEER_TICKS_A_REQUEST = 50


def measure(programs, _):
    kept = ours(programs)
    theirs, missing = peer(programs)
    note = f"{SAMPLES} samples, never connected; {TORN_BYTES} bytes cut off the end of the file, then a link"
    yield Figure("torn.kept_ratio", kept / SAMPLES, "of the samples", "vmagent of Debian", theirs, 1, "; ".join(filter(None, [note, missing])))


def ours(programs):
    with Stage(programs) as stage:
        folder = stage.path("backlog")
        fill(programs, folder, 1, TICKS)
        file = os.path.join(folder, f"{DEVICE}.sqlite")
        # All of it in one file, as a log that was worked in leaves it: nothing is written twice.
        with contextlib.closing(sqlite3.connect(file)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        tear(file)
        stage.start_broker()
        stage.start_collector()
        began = time.time()
        stage.start_agent(DEVICE, buffer_settings(folder, DEVICE))
        # Salvage goes on in steps: it is over when nothing more comes.
        newest, since = stored_by_us(stage, began), time.monotonic()
        while time.monotonic() - since < QUIET_SECONDS or newest == 0:
            time.sleep(LOOK_SECONDS)
            stage.expect_alive()
            if time.time() - began > WAIT_SECONDS_MAX:
                raise NotMeasured(f"the backlog is not in after {WAIT_SECONDS_MAX} s: {stage.agent_status()}")
            if (now := stored_by_us(stage, began)) != newest:
                newest, since = now, time.monotonic()
    return newest


def stored_by_us(stage, began):
    """Of the samples of the backlog, whose newest tick is as old as the fill; not of those that the agent takes now."""
    oldest = began - (TICKS + 1) * INTERVAL_SECONDS - WAIT_SECONDS_MAX
    times = urllib.parse.urlencode({"start": moment(oldest), "end": moment(began - 1)})
    try:
        return json.loads(stage.get(f"/v1/devices/{DEVICE}/completeness?{times}"))["samples"]["stored"]
    except urllib.error.HTTPError:
        # It is not known yet.
        return 0


def moment(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def tear(pattern):
    """Cuts the end off the largest file, as a disk does that never wrote it."""
    largest = max(filter(os.path.isfile, glob.glob(pattern)), key=os.path.getsize)
    os.truncate(largest, os.path.getsize(largest) - TORN_BYTES)


def peer(programs):
    """What vmagent delivers, of one; or None and why."""
    with Stage(programs) as stage:
        folder = unpack(stage)
        if not folder:
            return None, f"{PACKAGE} could not be downloaded; no peer"
        agent_port, store_port, queue = free_port(), free_port(), stage.path("queue")
        command = [
            os.path.join(folder, "vmagent"), f"-httpListenAddr={HOST}:{agent_port}", f"-remoteWrite.url=http://{HOST}:{store_port}/api/v1/write",
            f"-remoteWrite.tmpDataPath={queue}"]
        agent = stage.start("vmagent", command)
        feed(f"http://{HOST}:{agent_port}")
        time.sleep(SETTLING_SECONDS)
        end(agent)
        tear(os.path.join(queue, "persistent-queue", "*", "*"))
        store = os.path.join(folder, PACKAGE)
        stage.start("store", [store, f"-httpListenAddr={HOST}:{store_port}", f"-storageDataPath={stage.path('store')}"])
        wait_for("the store answers", WAIT_SECONDS_MAX, lambda: request(f"http://{HOST}:{store_port}/health"))
        stage.start("vmagent-again", command)
        wait_for("vmagent has no queue", WAIT_SECONDS_MAX, lambda: pending_bytes(agent_port) == 0)
        time.sleep(SETTLING_SECONDS)
        return stored(f"http://{HOST}:{store_port}") / SAMPLES, None


def unpack(stage):
    commands = f"apt-get download -qq {PACKAGE} && dpkg -x {PACKAGE}_*.deb peer"
    with open(stage.path("download.log"), "wb") as log:
        subprocess.run(["sh", "-c", commands], cwd=stage.directory, stdout=log, stderr=log, timeout=120, check=False)
    folder = stage.path("peer/usr/bin")
    return folder if os.access(os.path.join(folder, "vmagent"), os.X_OK) else None


def feed(address):
    """The same number of samples, in Prometheus' text format with timestamps."""
    wait_for("vmagent answers", WAIT_SECONDS_MAX, lambda: request(address + "/health"))
    values = random.Random(1)
    began = int(time.time()) - TICKS * INTERVAL_SECONDS
    for first in range(0, TICKS, PEER_TICKS_A_REQUEST):
        lines = [
            f'torn_{series}{{device="{DEVICE}"}} {values.randint(0, 10_000) / 100} {(began + tick * INTERVAL_SECONDS) * 1000}\n'
            for tick in range(first, first + PEER_TICKS_A_REQUEST) for series in range(SERIES)]
        if request(address + "/api/v1/import/prometheus", "".join(lines).encode()) is None:
            raise NotMeasured("vmagent took no samples")


def request(url, body=None):
    """The answer; None when there is none."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=10) as answer:
            return answer.read().decode() or " "
    except (urllib.error.URLError, OSError):
        return None


def pending_bytes(port):
    for line in (request(f"http://{HOST}:{port}/metrics") or "").splitlines():
        if line.startswith("vmagent_remotewrite_pending_data_bytes"):
            return int(float(line.split()[-1]))
    return None


def stored(address):
    request(address + "/internal/force_flush")
    query = urllib.parse.urlencode({"match[]": '{__name__=~"torn_.*"}'})
    return sum(len(json.loads(line)["values"]) for line in (request(f"{address}/api/v1/export?{query}") or "").split("\n") if line.strip())
