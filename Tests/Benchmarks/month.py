"""What compression saves of a month of samples, on TimescaleDB under its own licence."""

import json
import subprocess

from figures import Figure, NotMeasured
from servers import Server
from stage import Stage

DEVICES, SERIES, INTERVAL_SECONDS, DAYS = 3, 15, 10, 30
TICKS = DAYS * 86_400 // INTERVAL_SECONDS
DRAIN_SECONDS = 900
# What grows with every sample.
TABLES = ["device_metrics", "metric_samples"]
AIM = 0.9


def measure(programs, _):
    with Server(is_community=True) as server, Stage(programs) as stage:
        stage.start_broker()
        stage.start_collector({"FARWATCH_TIMESERIES_POSTGRES_URI": server.uri})
        fleet = stage.start("fleet", [
            programs.fleet, "--port", str(stage.broker_port), "--devices", str(DEVICES), "--series", str(SERIES), "--interval",
            str(INTERVAL_SECONDS), "--backlog", str(TICKS), "--seal-age", "3600", "--for", "100ms", "--drain", str(DRAIN_SECONDS),
            "--directory", stage.path("fleet"), "--json", "--quiet"], stdout=subprocess.PIPE)
        result = json.loads(fleet.communicate()[0] or b"{}")
        if not result.get("complete"):
            raise NotMeasured(f"the fleet did not deliver: {result}\n{stage.last_lines('fleet')}")
        libpq = server.connect()
        before, after, told = 0, 0, []
        for table in TABLES:
            # The policy may have begun already.
            libpq.rows(f"SELECT compress_chunk(chunk, if_not_compressed => true) FROM show_chunks('{table}') AS chunk")
            row = libpq.rows(
                f"SELECT before_compression_total_bytes, after_compression_total_bytes FROM hypertable_compression_stats('{table}')")[0]
            before, after = before + int(row[0]), after + int(row[1])
            told.append(f"{table} {1 - int(row[1]) / int(row[0]):.3f}")
        yield Figure(
            "timescale.compression_saved", 1 - after / before, "of the bytes", limit=AIM,
            note=f"{DEVICES} devices, {SERIES} series, a tick every {INTERVAL_SECONDS} s for {DAYS} days, with indexes, chunk by chunk: "
            f"{before / 2**20:.0f} MiB became {after / 2**20:.0f}; {', '.join(told)}")
