"""How long a sample takes from the device's clock to a committed row, at half of the rate that the same kind of batches can be written at."""

import json
import os
import subprocess
import tempfile

from figures import Figure, NotMeasured
from servers import Server
from stage import Stage

# Batches of one tick are the dearest: each brings four roll-ups a sample up to date, and no sample waits for its batch to be full.
DEVICES, SERIES, SECONDS, DRAIN_SECONDS = 40, 60, 30, 120
# What each has in its buffer when the maximum is measured.
BACKLOG_TICKS = 400
ROUNDS = 2
# What devices sampled before all of them were connected does not count.
CONNECTING_SECONDS = 5
# A simulated device seals each batch with a sync of its disk: the collector is measured, not the disk.
MEMORY_DIRECTORY = "/dev/shm"
# A batch is written in one transaction, whose time of commit the server keeps.
AGES = f"""
    SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM pg_xact_commit_timestamp(xmin) - started)),
        sum(samples)
    FROM sample_batches WHERE started > (SELECT min(started) FROM sample_batches) + interval '{CONNECTING_SECONDS} s'"""


def measure(programs, _):
    best = min((measure_round(programs) for _ in range(ROUNDS)), key=lambda one: one[0])
    worst, median, rate, most = best
    yield Figure(
        "postgres.p99_seconds", worst, "s",
        note=f"{DEVICES} devices of {SERIES} series in batches of one tick, from the tick's time to the commit's, at {rate:,.0f} samples a second, "
        f"aimed at half of the {most:,.0f} that a backlog of the same batches came at just before; half of them {median:.3f} s; best of {ROUNDS}; "
        "fsync off")


def measure_round(programs):
    most = run(programs, ["--backlog", str(BACKLOG_TICKS), "--for", "100ms"], lambda _, result: DEVICES * SERIES * BACKLOG_TICKS / result["seconds"])
    interval = DEVICES * SERIES / (most / 2)
    (worst, median), samples = run(programs, ["--interval", f"{interval:.4f}", "--for", f"{SECONDS}s"], ages)
    return worst, median, samples / (SECONDS - CONNECTING_SECONDS), most


def run(programs, arguments, read):
    """What `read` makes of a server and the result of a fleet whose batches have one tick."""
    with Server(settings=["max_wal_size=4GB", "track_commit_timestamp=on"]) as server, Stage(programs) as stage, memory() as buffers:
        stage.start_broker()
        stage.start_collector({"FARWATCH_TIMESERIES_POSTGRES_URI": server.uri})
        fleet = stage.start("fleet", [
            programs.fleet, "--port", str(stage.broker_port), "--devices", str(DEVICES), "--series", str(SERIES), "--seal-ticks", "1",
            "--drain", str(DRAIN_SECONDS), "--directory", buffers, "--json", "--quiet", *arguments], stdout=subprocess.PIPE)
        result = json.loads(fleet.communicate()[0] or b"{}")
        if not result.get("complete"):
            raise NotMeasured(f"the fleet did not deliver: {result}")
        return read(server, result)


def ages(server, _):
    both, samples = server.connect().rows(AGES)[0]
    median, worst = (float(age) for age in both.strip("{}").split(","))
    return (worst, median), float(samples)


def memory():
    return tempfile.TemporaryDirectory(prefix="farwatch-fleet-", dir=MEMORY_DIRECTORY if os.access(MEMORY_DIRECTORY, os.W_OK) else None)
