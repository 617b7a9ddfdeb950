"""The list of 10,000 devices, with Redis as the cache, without, and with Redis lost half-way: how much of it the cache had, and how long it took."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from figures import Figure, NotMeasured
from stage import HOST, Stage, free_port, wait_for

DEVICES, PREFIXES = 10_000, 10
SERIES, TICKS = 3, 2
# Of the devices, so many deliver a tick a second while the list is asked for: a list of which nothing changes is no fleet's.
LIVE = 50
FILL_SECONDS_MAX = 300
# The devices' buffers are forced to the disk, which is not what this is about.
MEMORY = "/dev/shm"
REQUESTS = 200
QUANTILE = 0.99


def measure(programs, _):
    memory = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="farwatch-benchmark-", dir=memory) as full:
        fill(programs, full)
        without = listed(programs, full, None)
        with Redis() as redis:
            found = listed(programs, full, redis)
            lost = listed(programs, full, redis, is_lost=True)
    note = f"{DEVICES} devices, {LIVE} of them delivering each second, {REQUESTS} times after the first"
    yield Figure("cache.hit_ratio", found.hit_ratio, "", "without Redis", without.hit_ratio, note=f"{note}; of what was asked for, {found.told}")
    yield Figure("cache.hit_ratio_redis_lost", lost.hit_ratio, "", note=f"Redis killed after {REQUESTS // 2} of them")
    yield Figure(
        "api.devices_p99_seconds", found.p99, "s", "without Redis", without.p99,
        note=f"GET /v1/devices, {note}; {found.bytes} bytes; the first, with an empty cache: {found.first:.3f} s, without Redis {without.first:.3f} s")
    yield Figure(
        "api.devices_p99_redis_lost_seconds", lost.p99, "s", "without Redis", without.p99,
        note=f"the {REQUESTS - REQUESTS // 2} after Redis was killed; the slowest {lost.worst:.3f} s")


def fill(programs, folder):
    """The embedded stores of a collector to which as many devices have delivered, a thousand at once: simulated ones, by the agent's own code through
    a broker. All files are in memory, where there is such a place."""
    with Stage(programs) as stage:
        stage.start_broker()
        stage.start_collector({"FARWATCH_DATA_DIRECTORY": os.path.join(folder, "data")})
        for part in range(PREFIXES):
            run = subprocess.run(
                [programs.fleet, "--port", str(stage.broker_port), "--devices", str(DEVICES // PREFIXES), "--prefix", f"edge{part}", "--series",
                 str(SERIES), "--backlog", str(TICKS), "--interval", "3600", "--for", "100ms", "--drain", str(FILL_SECONDS_MAX), "--quiet", "--json",
                 "--directory", os.path.join(folder, "buffers")],
                stdout=subprocess.PIPE, text=True, timeout=FILL_SECONDS_MAX, check=False)
            if run.returncode != 0:
                raise NotMeasured(f"the devices did not deliver: {run.stdout[-300:]}")
            shutil.rmtree(os.path.join(folder, "buffers"), ignore_errors=True)


class Listed:
    """What the requests of one collector told."""

    def __init__(self, stage, seconds, size):
        ordered = sorted(seconds)
        self.p99, self.worst = ordered[int(len(ordered) * QUANTILE)], ordered[-1]
        self.first, self.bytes = 0.0, size
        hits, misses = stage.metric("farwatch_cache_hits_total"), stage.metric("farwatch_cache_misses_total")
        self.hit_ratio = (hits - stage.hits) / max(1, hits + misses - stage.hits - stage.misses)
        server = stage.metric("farwatch_redis_hits_total")
        self.told = f"{hits - stage.hits:.0f} were there, {server:.0f} of them not in the collector's memory"


def listed(programs, full, redis, is_lost=False):
    with Stage(programs) as stage:
        shutil.copytree(os.path.join(full, "data"), stage.path("data"))
        stage.start_broker()
        stage.start_collector({"FARWATCH_CACHE_REDIS_URI": f"redis://{HOST}:{redis.port}"} if redis else {})
        if redis:
            wait_for("the collector has Redis", 20, lambda: stage.metric("farwatch_redis_available") == 1)
        stage.start(
            "live", [programs.fleet, "--port", str(stage.broker_port), "--devices", str(LIVE), "--prefix", "edge0", "--series", str(SERIES),
                     "--interval", "1", "--seal-age", "1", "--for", "300s", "--quiet", "--directory", stage.path("buffers")])
        first, size = ask(stage)
        stage.hits, stage.misses = stage.metric("farwatch_cache_hits_total"), stage.metric("farwatch_cache_misses_total")
        seconds = [ask(stage)[0] for _ in range(REQUESTS // 2)]
        if is_lost:
            redis.kill()
            seconds = []
        seconds += [ask(stage)[0] for _ in range(REQUESTS - REQUESTS // 2)]
        result = Listed(stage, seconds, size)
        result.first = first
        return result


def ask(stage):
    began = time.monotonic()
    text = stage.get("/v1/devices")
    seconds = time.monotonic() - began
    devices = json.loads(text)["devices"]
    if len(devices) != DEVICES or not all(device["latest"] for device in devices):
        raise NotMeasured(f"{len(devices)} devices, {sum(1 for device in devices if device['latest'])} with values")
    return seconds, len(text)


class Redis:
    """Debian's Redis on a free port; it ends with this."""

    READY_WITHIN_SECONDS = 10

    def __enter__(self):
        program = shutil.which("redis-server")
        if not program:
            raise NotMeasured("there is no redis-server (package redis-server)")
        self.port, self.directory = free_port(), tempfile.mkdtemp(prefix="farwatch-redis-")
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Servers", "redis")
        self.process = subprocess.Popen([script, program, self.directory, str(self.port)], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        wait_for("Redis listens", self.READY_WITHIN_SECONDS, self.answers)
        return self

    def answers(self):
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self.port)) == 0

    def kill(self):
        with open(os.path.join(self.directory, "pid"), encoding="ascii") as file:
            os.kill(int(file.read()), signal.SIGKILL)

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
