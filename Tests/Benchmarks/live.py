"""How soon the newest sample is in the store after a device has its link back, with a week of older ones waiting, and with none."""

import datetime
import json
import re
import shutil
import tempfile
import time

from backlog import DAY_TICKS, buffer_settings, fill
from figures import Figure, NotMeasured
from gate import Gate
from stage import Stage, wait_for

DEVICE = "edge-0001"
DAYS = 7
TURNS = 3
LIMIT_SECONDS = 2
# Without a link the agent takes some ticks of its own, one a second.
OFFLINE_SECONDS = 3
INTERVAL_SECONDS = 1
LOOK_SECONDS = 0.01
WAIT_SECONDS_MAX = 120


def measure(programs, _):
    with tempfile.TemporaryDirectory(prefix="farwatch-benchmark-") as full:
        fill(programs, full, 1, DAYS * DAY_TICKS)
        # The worst of the turns: this is about a bound.
        without = max(turn(programs, None) for _ in range(TURNS))
        waiting = max(turn(programs, full) for _ in range(TURNS))
    yield Figure(
        "live.seconds_after_reconnect", waiting, "s", "without a backlog", without, limit=LIMIT_SECONDS,
        note=f"a real agent with {DAYS} days in its buffer, from its connection to its newest sample in the API's answer; the worst of {TURNS}")


def turn(programs, full):
    with Stage(programs) as stage:
        folder = stage.path("buffer")
        if full:
            shutil.copytree(full, folder)
        stage.start_broker()
        stage.start_collector()
        gate = Gate(stage.broker_port)
        stage.start_agent(DEVICE, buffer_settings(folder, DEVICE), broker_port=gate.port)
        time.sleep(OFFLINE_SECONDS)
        gate.open()
        try:
            wait_for("the agent is connected", WAIT_SECONDS_MAX, lambda: connected_at(stage))
            return seconds_to_newest(stage, connected_at(stage))
        finally:
            gate.close()


def connected_at(stage):
    """When the agent's log says that it was; None before."""
    match = re.search(r"^(\S+) info connected", stage.log("agent"), re.MULTILINE)
    return match and moment(match.group(1))


def seconds_to_newest(stage, connected):
    while newest(stage) < connected - INTERVAL_SECONDS:
        if time.time() - connected > WAIT_SECONDS_MAX:
            raise NotMeasured(f"the newest sample is not in the store after {WAIT_SECONDS_MAX} s: {stage.agent_status()}")
        time.sleep(LOOK_SECONDS)
    return time.time() - connected


def newest(stage):
    """The time of the device's newest sample, as the collector tells; 0 when it has none."""
    for device in json.loads(stage.get("/v1/devices"))["devices"]:
        if device["id"] == DEVICE and device["latest"]:
            return moment(device["latest"]["at"])
    return 0


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
