"""How long a sample takes from the device's clock to a committed row, under a steady load."""

import json
import subprocess

from figures import Figure, NotMeasured
from servers import Server
from stage import Stage

# Batches of one tick are the dearest: each brings three roll-ups a sample up to date. A simulated device seals each with a sync of its disk:
# few devices load the collector, not the fleet.
DEVICES, SERIES, INTERVAL_SECONDS, SECONDS, DRAIN_SECONDS = 20, 60, 0.1, 30, 60
# A batch is written in one transaction, whose time of commit the server keeps. What devices sampled before all of them were connected does not count.
CONNECTING_SECONDS = 5
AGES = f"""
    SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM pg_xact_commit_timestamp(xmin) - started)),
        sum(samples)
    FROM sample_batches WHERE started > (SELECT min(started) FROM sample_batches) + interval '{CONNECTING_SECONDS} s'"""


def measure(programs, _):
    """Ticks are sent one by one, so that no sample waits for its batch to be full."""
    with Server(settings=["max_wal_size=4GB", "track_commit_timestamp=on"]) as server, Stage(programs) as stage:
        stage.start_broker()
        stage.start_collector({"FARWATCH_TIMESERIES_POSTGRES_URI": server.uri})
        fleet = stage.start("fleet", [
            programs.fleet, "--port", str(stage.broker_port), "--devices", str(DEVICES), "--series", str(SERIES), "--interval",
            str(INTERVAL_SECONDS), "--seal-ticks", "1", "--for", f"{SECONDS}s", "--drain", str(DRAIN_SECONDS), "--directory",
            stage.path("fleet"), "--json", "--quiet"], stdout=subprocess.PIPE)
        result = json.loads(fleet.communicate()[0] or b"{}")
        if not result.get("complete"):
            raise NotMeasured(f"the fleet did not deliver: {result}")
        ages, samples = server.connect().rows(AGES)[0]
        median, worst = (float(age) for age in ages.strip("{}").split(","))
        yield Figure(
            "postgres.p99_seconds", worst, "s",
            note=f"{DEVICES} devices of {SERIES} series, {float(samples) / (SECONDS - CONNECTING_SECONDS):.0f} samples a second in batches of one "
            f"tick, from the tick's time to the commit's; half of them {median:.3f} s; fsync off")
