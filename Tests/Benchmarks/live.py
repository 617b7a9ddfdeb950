"""How soon the newest sample is in the store after a device has its link back, with a week of older ones waiting, and with none."""

import datetime
import json
import socket
import time

from backlog import DAY_TICKS, buffer_settings, fill
from figures import Figure, NotMeasured
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
    # The worst of the turns: this is about a bound.
    without = max(turn(programs, 0) for _ in range(TURNS))
    waiting = max(turn(programs, DAYS * DAY_TICKS) for _ in range(TURNS))
    yield Figure(
        "live.seconds_after_reconnect", waiting, "s", "without a backlog", without, limit=LIMIT_SECONDS,
        note=f"a real agent with {DAYS} days in its buffer, from its connection to its newest sample in the API's answer; the worst of {TURNS}")


def turn(programs, backlog_ticks):
    with Stage(programs) as stage:
        folder = fill(stage, 1, backlog_ticks) if backlog_ticks else stage.path("buffer")
        # The collector needs a broker to be ready; the agent's is not there yet.
        stage.start_broker()
        stage.start_collector()
        stop(stage, "broker")
        stage.start_agent(DEVICE, buffer_settings(folder, DEVICE))
        time.sleep(OFFLINE_SECONDS)
        stage.start_broker()
        wait_for("the collector is ready", 60, stage.is_ready)
        connected = when_connected(stage)
        while newest(stage) < connected - INTERVAL_SECONDS:
            if time.time() - connected > WAIT_SECONDS_MAX:
                raise NotMeasured(f"the newest sample is not in the store after {WAIT_SECONDS_MAX} s: {stage.agent_status()}")
            time.sleep(LOOK_SECONDS)
        return time.time() - connected


def stop(stage, name):
    for process in [process for process in stage.processes if process.name == name]:
        process.terminate()
        process.wait(10)
        stage.processes.remove(process)


def when_connected(stage):
    """The time at which the agent's own status says so first."""
    end = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < end:
        with socket.socket(socket.AF_UNIX) as status:
            status.connect(stage.path("agent.sock"))
            answer = json.loads(status.makefile().read())
        if answer["connected"]:
            return time.time()
        time.sleep(LOOK_SECONDS)
    raise NotMeasured("the agent did not connect")


def newest(stage):
    """The time of the device's newest sample, as the collector tells; 0 when it has none."""
    for device in json.loads(stage.get("/v1/devices"))["devices"]:
        if device["id"] == DEVICE and device["latest"]:
            return datetime.datetime.fromisoformat(device["latest"]["at"].replace("Z", "+00:00")).timestamp()
    return 0
