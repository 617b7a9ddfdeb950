"""How fast what has piled up on devices comes into the store: one real agent after a week, and a thousand devices at once after an hour."""

import json
import subprocess
import time

from backlog import DAY_TICKS, SERIES, allow_many_files, buffer_settings, fill, megabytes, peak_bytes
from figures import Figure, NotMeasured
from ingest import broker_messages_a_second
from stage import Stage

DEVICE = "edge-0001"
DAYS = 7
FLEET_DEVICES = 1_000
FLEET_TICKS = 360
DRAIN_SECONDS_MAX = 300
LOOK_SECONDS = 0.02


def measure(programs, _):
    yield one_device(programs)
    yield from fleet(programs)


def one_device(programs):
    ticks = DAYS * DAY_TICKS
    samples = ticks * SERIES
    with Stage(programs) as stage:
        folder = stage.path("backlog")
        fill(programs, folder, 1, ticks)
        stage.start_broker()
        collector = stage.start_collector()
        began = time.monotonic()
        agent = stage.start_agent(DEVICE, buffer_settings(folder, DEVICE))
        while stage.metric("farwatch_ingest_samples_total") < samples:
            stage.expect_alive()
            if time.monotonic() - began > DRAIN_SECONDS_MAX:
                raise NotMeasured(f"not drained after {DRAIN_SECONDS_MAX} s: {stage.agent_status()}")
            time.sleep(LOOK_SECONDS)
        seconds = time.monotonic() - began
        status = stage.agent_status()
        peaks = f"peak memory: agent {megabytes(peak_bytes(agent))}, collector {megabytes(peak_bytes(collector))}"
    size = status["bytes_sent"] // status["batches_sent"]
    batches = status["batches_sent"]
    limit = broker_messages_a_second(programs, size) * samples / batches
    return Figure(
        "drain.samples_per_second", samples / seconds, "samples/s", f"the broker alone at QoS 1, messages of {size} bytes", limit,
        note=f"a real agent, {DAYS} days of {SERIES} series at 10 s ticks in batches of a minute: {samples} samples in {batches} batches in {seconds:.1f} s, "
        f"its start included; {peaks}")


def fleet(programs):
    allow_many_files()
    with Stage(programs) as stage:
        folder = stage.path("backlog")
        fill(programs, folder, FLEET_DEVICES, FLEET_TICKS)
        broker = stage.start_broker()
        collector = stage.start_collector()
        command = [
            programs.fleet, "--port", str(stage.broker_port), "--devices", str(FLEET_DEVICES), "--prefix", "edge", "--series", str(SERIES),
            "--interval", "3600", "--seal-age", "60", "--for", "100ms", "--drain", str(DRAIN_SECONDS_MAX), "--directory", folder, "--json", "--quiet",
        ]
        process = stage.start("fleet", command, stdout=subprocess.PIPE)
        peak = 0
        while process.poll() is None:
            try:
                peak = max(peak, peak_bytes(process))
            except (NotMeasured, OSError):
                # It has ended meanwhile.
                break
            time.sleep(LOOK_SECONDS)
        output, _ = process.communicate()
        try:
            result = json.loads(output)
        except ValueError:
            raise NotMeasured(f"farwatch-fleetsim ended with {process.returncode}:\n{stage.last_lines('fleet')}") from None
        stored = stage.metric("farwatch_ingest_samples_total")
        servers = f"collector {megabytes(peak_bytes(collector))}, broker {megabytes(peak_bytes(broker))}"
        collector_bytes = peak_bytes(collector)
    samples = result["samples_acknowledged"]
    if not result["complete"] or stored != result["samples_produced"]:
        raise NotMeasured(f"the fleet produced {result['samples_produced']} samples, the collector took {stored:.0f}: {result}")
    batches = result["batches_acknowledged"]
    size = result["bytes_sent"] // result["batches_sent"]
    limit = broker_messages_a_second(programs, size) * samples / batches
    yield Figure(
        "drain.fleet_samples_per_second", samples / result["seconds"], "samples/s", f"the broker alone at QoS 1, messages of {size} bytes", limit,
        note=f"{FLEET_DEVICES} devices at once, each with an hour of {SERIES} series in batches of a minute: {samples} samples in {batches} batches in "
        f"{result['seconds']:.1f} s, {result['batches_sent'] - batches} sent again; peak memory: {servers}")
    yield Figure("drain.collector_peak_bytes", collector_bytes, "bytes", note=f"resident, while {FLEET_DEVICES} devices drain")
    yield Figure("drain.device_peak_bytes", peak / FLEET_DEVICES, "bytes", note="resident, of a simulated device: the fleet's process by its devices")
