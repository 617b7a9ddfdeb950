"""How fast samples come from devices, through a broker, to acknowledged."""

import json
import subprocess
import time

from figures import Figure, NotMeasured
from stage import HOST, Stage, cpu_seconds

DEVICES = 50
SERIES = 20
DRAIN_SECONDS = 300


class Load:
    """What each device has in its buffer before it first connects, and in what batches. Filling takes longer than the run that is timed."""

    def __init__(self, name, batch_ticks, backlog_ticks):
        self.name, self.batch_ticks, self.backlog_ticks = name, batch_ticks, backlog_ticks


LOADS = [
    # A backlog, in full batches: few messages, many samples.
    Load("embedded.samples_per_second", 256, 60_000),
    # As agents send with their default settings, 60 s of 10 s ticks a batch: what a message costs shows.
    Load("embedded.samples_per_second.live", 6, 18_000),
]
# What the broker is loaded with alone: as many as it takes for some seconds, below what it may queue.
PUBLISHERS = 4
LIMIT_MESSAGES = 80_000
LIMIT_BYTES_MAX = 600_000_000
LIMIT_SECONDS_MAX = 120
SUBSCRIBED_AFTER_SECONDS = 0.5


def measure(programs, _):
    for load in LOADS:
        yield measure_load(programs, load)


def measure_load(programs, load):
    with Stage(programs) as stage:
        servers = {"broker": stage.start_broker(), "collector": stage.start_collector()}
        before = {name: cpu_seconds(server) for name, server in servers.items()}
        result = run_fleet(stage, load)
        spent = {name: cpu_seconds(server) - before[name] for name, server in servers.items()}
        stored = stage.metric("farwatch_ingest_samples_total")
        stage.expect_alive()
    if not result["complete"] or stored != result["samples_produced"]:
        raise NotMeasured(f"the fleet produced {result['samples_produced']} samples, the collector took {stored:.0f}: {result}")
    batches, samples, seconds = result["batches_acknowledged"], result["samples_acknowledged"], result["seconds"]
    bytes_a_message = result["bytes_sent"] // result["batches_sent"]
    limit = broker_messages_a_second(programs, bytes_a_message) * samples / batches
    processor = ", ".join(f"{name} {seconds_spent:.1f} s" for name, seconds_spent in spent.items())
    return Figure(
        load.name, samples / seconds, "samples/s", f"the broker alone at QoS 1, messages of {bytes_a_message} bytes", limit,
        note=f"{DEVICES} devices of {SERIES} series, batches of {load.batch_ticks} ticks: {samples} samples in {batches} batches in {seconds:.1f} s, "
        f"{batches / seconds:.0f} batches/s, {result['batches_sent'] - batches} sent again; processor time: {processor}")


def run_fleet(stage, load):
    """Devices that come back with a backlog; timed by the fleet from their connection to their last acknowledgement."""
    command = [
        stage.programs.fleet, "--port", str(stage.broker_port), "--devices", str(DEVICES), "--series", str(SERIES),
        "--backlog", str(load.backlog_ticks), "--seal-ticks", str(load.batch_ticks), "--seal-age", "3600", "--for", "100ms", "--drain", str(DRAIN_SECONDS),
        "--directory", stage.path("fleet"), "--json", "--quiet",
    ]
    fleet = stage.start("fleet", command, stdout=subprocess.PIPE)
    output, _ = fleet.communicate()
    try:
        return json.loads(output)
    except ValueError:
        raise NotMeasured(f"farwatch-fleetsim ended with {fleet.returncode}:\n{stage.last_lines('fleet')}") from None


def broker_messages_a_second(programs, size):
    """From several publishers to one subscriber, both at QoS 1. MQTT 3.1.1, where no receive maximum slows the subscriber."""
    messages = min(LIMIT_MESSAGES, LIMIT_BYTES_MAX // size) // PUBLISHERS
    with Stage(programs) as stage:
        stage.start_broker()
        lines = stage.write("lines", ("x" * size + "\n") * messages)
        address = ["-h", HOST, "-p", str(stage.broker_port), "-q", "1", "-t", "load"]
        subscriber = stage.start(
            "subscriber", ["mosquitto_sub", *address, "-C", str(messages * PUBLISHERS)], stdout=subprocess.DEVNULL)
        time.sleep(SUBSCRIBED_AFTER_SECONDS)
        began = time.monotonic()
        for number in range(PUBLISHERS):
            with open(lines, "rb") as file:
                stage.start(f"publisher-{number}", ["mosquitto_pub", *address, "-l"], stdin=file)
        try:
            subscriber.wait(LIMIT_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            raise NotMeasured(f"the broker alone did not carry {messages * PUBLISHERS} messages in {LIMIT_SECONDS_MAX} s") from None
        return messages * PUBLISHERS / (time.monotonic() - began)
