"""How long a dashboard of the whole fleet takes: by the collector's HTTP API from the roll-ups, beside the same by a step that has to be read from
the rows."""

import datetime
import time
from concurrent.futures import ThreadPoolExecutor

from figures import Figure, NotMeasured
from servers import Server
from stage import Stage

DEVICES, DAYS, INTERVAL_SECONDS, STEP_SECONDS = 1_000, 7, 30, 300
# What a browser has open to one host.
REQUESTS_AT_ONCE = 6
ROUNDS = 2
# Of no whole minutes: no roll-up serves it.
RAW_STEP_SECONDS = 299
FIRST = "2026-01-01"

# Rows and roll-ups as the collector writes them, in the order in which samples come: all devices, tick by tick. What is measured is
# reading; the index is made once the rows are there.
FILL = f"""
    ALTER TABLE device_metrics DROP CONSTRAINT device_metrics_pkey;
    DROP INDEX device_metrics_device;
    INSERT INTO device_metrics (device_id, cpu_usage, memory_usage, "timestamp")
    SELECT device, (abs(hashint8(number * 1000003::int8 + tick)) % 10000) / 10000.0, 0.4,
        timestamptz '{FIRST}' + tick * interval '{INTERVAL_SECONDS} s'
    FROM generate_series(0, {DAYS * 86_400 // INTERVAL_SECONDS - 1}) AS tick, devices;
    INSERT INTO rollups_1m (series, bucket, count, mean, min, max, last, last_at, first_at, area)
    SELECT id, start, {60 // INTERVAL_SECONDS}, 0.5 + minute % 100 / 1000.0, 0.1, 0.9, 0.5, start + interval '50 s', start, 20
    FROM generate_series(0, {DAYS * 1_440 - 1}) AS minute, metric_series,
        LATERAL (SELECT timestamptz '{FIRST}' + minute * interval '1 min' AS start) AS times
    WHERE metric = 'cpu_usage';
    INSERT INTO rollups_5m (series, bucket, count, mean, min, max, last, last_at)
    SELECT series, date_bin('5 min', bucket, 'epoch') AS start, sum(count), sum(mean * count) / sum(count), min(min), max(max),
        max(last), max(last_at)
    FROM rollups_1m WHERE bucket < timestamptz '{FIRST}' + interval '{DAYS} days' GROUP BY 1, 2 ORDER BY 2, 1;
    CREATE INDEX device_metrics_device ON device_metrics (device_id, "timestamp" DESC);
    VACUUM ANALYZE device_metrics;
    VACUUM ANALYZE rollups_1m;
    VACUUM ANALYZE rollups_5m"""
RAW = f"""
    SELECT device_id, date_bin('{STEP_SECONDS} s', "timestamp", 'epoch'), count(*), avg(cpu_usage) AS mean, min(cpu_usage), max(cpu_usage)
    FROM device_metrics
    WHERE "timestamp" >= timestamptz '{FIRST}' AND "timestamp" < timestamptz '{FIRST}' + interval '{DAYS} days' GROUP BY 1, 2"""


def measure(programs, _):
    with Server() as server, Stage(programs) as stage:
        stage.start_broker()
        stage.start_collector({"FARWATCH_TIMESERIES_POSTGRES_URI": server.uri})
        make_devices(programs, stage)
        libpq = server.connect()
        make_partitions(libpq)
        for statement in FILL.split(";"):
            libpq.execute(statement)
        ours, theirs = [], []
        for _ in range(ROUNDS):
            theirs.append(seconds(lambda: ask(stage, RAW_STEP_SECONDS)))
            ours.append(seconds(lambda: ask(stage, STEP_SECONDS)))
        whole = seconds(lambda: libpq.rows(f"SELECT count(*), sum(mean) FROM ({RAW}) AS answer"))
        yield Figure(
            "postgres.dashboard_seconds", min(ours), "s", f"by {RAW_STEP_SECONDS} s, from the rows", min(theirs),
            note=f"cpu_usage of {DEVICES} devices over {DAYS} days by {STEP_SECONDS} s, a tick every {INTERVAL_SECONDS} s: {DEVICES} questions by "
            f"HTTP, {REQUESTS_AT_ONCE} at once, from the roll-ups; best of {ROUNDS} in turn. All rows by one statement of SQL: "
            f"{whole:.1f} s")


def make_devices(programs, stage):
    """Devices that the collector knows, with one series and a tick or two of today."""
    fleet = stage.start("fleet", [
        programs.fleet, "--port", str(stage.broker_port), "--devices", str(DEVICES), "--series", "1", "--prefix", "edge", "--for", "1s",
        "--directory", stage.path("fleet"), "--quiet"])
    if fleet.wait() != 0:
        raise NotMeasured(f"the fleet did not deliver:\n{stage.last_lines('fleet')}")


def make_partitions(libpq):
    """Days are made two ahead of today; these are long past."""
    epoch_days = (datetime.date.fromisoformat(FIRST) - datetime.date(1970, 1, 1)).days
    for table, width in [("device_metrics", 1), ("rollups_1m", 7), ("rollups_5m", 28)]:
        for part in range(epoch_days // width, (epoch_days + DAYS) // width + 1):
            bounds = [f"(to_timestamp({end * width * 86_400}))" for end in (part, part + 1)]
            libpq.execute(f"CREATE TABLE {table}_p{part} PARTITION OF {table} FOR VALUES FROM {bounds[0]} TO {bounds[1]}")


def ask(stage, step):
    query = f"from={FIRST}&to=2026-01-07T23:59:59Z&step={step}&metric=cpu_usage"
    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
        for answer in pool.map(lambda number: stage.get(f"/v1/devices/edge-{number:04d}/series?{query}"), range(1, DEVICES + 1)):
            if answer.count("[") < DAYS * 86_400 // step:
                raise NotMeasured("a device's answer lacks points")


def seconds(work):
    began = time.monotonic()
    work()
    return time.monotonic() - began
