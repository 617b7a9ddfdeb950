"""Bytes that a sample costs between device and collector."""

import json
import time
import zlib
from collections import defaultdict
from contextlib import ExitStack

from figures import Figure, NotMeasured
from stage import HOST, Stage, wait_for

DEVICE = "edge-0001"
UP_TOPIC = f"farwatch/v1/{DEVICE}/up"
# Ticks in a batch: what 60 s, the agent's default, and 5 minutes hold at the default 10 s a tick.
SEALINGS = {"": 6, ".5min": 30}
SECONDS_DEFAULT = 65
SUBSCRIBED_AFTER_SECONDS = 0.5
# The offset of the kind, and the kind of sample blocks, in a batch; in both messages the stream is 8 bytes.
KIND_AT, KIND_SAMPLES, DEVICE_LENGTH_AT, STREAM_BYTES = 4, 1, 6, 8
ACKNOWLEDGEMENT_HEADER_BYTES = 4


def measure(programs, seconds):
    seconds = seconds or SECONDS_DEFAULT
    if seconds < max(SEALINGS.values()) + 2:
        raise NotMeasured(f"{seconds:g} s are too short for one batch of {max(SEALINGS.values())} ticks")
    with ExitStack() as stack:
        stages = {name: stack.enter_context(Stage(programs)) for name in SEALINGS}
        for name, stage in stages.items():
            prepare(stage, SEALINGS[name])
        time.sleep(seconds)
        for name, stage in stages.items():
            yield from figures(name, stage, SEALINGS[name])


def prepare(stage, ticks):
    """The broker, a listener to all of its messages, the collector and the agent."""
    stage.start_broker()
    stage.start_collector()
    stage.listener = stage.start(
        "listener", ["mosquitto_sub", "-h", HOST, "-p", str(stage.broker_port), "-q", "0", "-t", "farwatch/#", "-F", "%t %x"],
        output="messages")
    time.sleep(SUBSCRIBED_AFTER_SECONDS)
    stage.start_agent(DEVICE, f"buffer: {{path: {stage.path('buffer.sqlite')}, seal_ticks: {ticks}, seal_age: 1h}}")
    wait_for("the agent is connected", 20, lambda: stage.agent_status().get("connected"))


def figures(name, stage, ticks):
    stage.expect_alive()
    traffic = wait_for("every batch that was sent is acknowledged and counted", 20, lambda: settled(stage))
    samples = stage.metric("farwatch_ingest_samples_total")
    plain, deflated, points = as_json(stage, ticks)
    yield Figure(
        "wire.bytes_per_sample" + name, traffic.payload_bytes / samples, "bytes", "the same ticks as JSON", sum(map(len, plain)) / points,
        note=f"{len(traffic.up)} batches of {ticks} ticks, {samples:.0f} samples, acknowledgements included, documents not; "
        "ticks 1 s apart stand in for 10 s, same machine, same series")
    packets = sum(packet_bytes(len(payload), UP_TOPIC) for payload in deflated)
    yield Figure(
        "wire.mqtt_bytes_per_sample" + name, traffic.packet_bytes / samples, "bytes", "the same ticks as deflated JSON", packets / points,
        note="as above, with the headers of all MQTT packets; the peer's with theirs, but it has no acknowledgements of a collector")


class Traffic:
    """What the listener heard: the sample batches of one device, and their acknowledgements."""

    def __init__(self, lines):
        self.up, self.acknowledged = {}, []
        for topic, payload in (line.split() for line in lines if " " in line):
            message = bytes.fromhex(payload)
            if topic.endswith("/up") and message[KIND_AT] == KIND_SAMPLES:
                self.up[sequence(message, DEVICE_LENGTH_AT + 1 + message[DEVICE_LENGTH_AT] + STREAM_BYTES)] = len(message), topic
            elif topic.endswith("/ack"):
                self.acknowledged.append((acknowledged(message), len(message), topic))

    @property
    def messages(self):
        """Those of samples: the bytes and the topic of each."""
        return list(self.up.values()) + [(size, topic) for run, size, topic in self.acknowledged if any(number in self.up for number in run)]

    @property
    def is_acknowledged(self):
        return bool(self.up) and set(self.up) <= {number for run, _, _ in self.acknowledged for number in run}

    @property
    def payload_bytes(self):
        return sum(size for size, _ in self.messages)

    @property
    def packet_bytes(self):
        return sum(packet_bytes(size, topic) for size, topic in self.messages)


def acknowledged(message):
    """The sequences of the first run, behind the pace and the number of runs; none when there is no run."""
    at = ACKNOWLEDGEMENT_HEADER_BYTES + STREAM_BYTES
    while message[at] & 0x80:
        at += 1
    # One byte for fewer than 128 runs.
    if not message[at + 1]:
        return range(0)
    at += 2
    first = sequence(message, at)
    while message[at] & 0x80:
        at += 1
    return range(first, first + sequence(message, at + 1))


def sequence(message, at):
    """A number of 7 bits a byte, the least first."""
    value, shift = 0, 0
    while message[at] & 0x80:
        value |= (message[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return value | message[at] << shift


def packet_bytes(payload, topic):
    """MQTT 5, section 3.3: a type and a length; the topic and its length, the packet identifier, no properties, the payload. And the PUBACK."""
    remaining = 2 + len(topic) + 2 + 1 + payload
    length = 1 if remaining < 128 else 2 if remaining < 16_384 else 3
    return 1 + length + remaining + 4


def settled(stage):
    """The traffic, at a moment when listener and collector have seen the same."""
    before = committed(stage)
    with open(stage.path("messages"), encoding="ascii") as file:
        traffic = Traffic(file.read().splitlines())
    is_same = before == committed(stage) == len(traffic.up)
    return traffic if is_same and traffic.is_acknowledged else None


def committed(stage):
    return stage.metric("farwatch_ingest_batches_total", kind="samples", outcome="committed")


def as_json(stage, ticks):
    """The stored samples as one JSON object a tick, in arrays of a batch's ticks: the payloads, plain and deflated, and the samples in them."""
    answer = json.loads(stage.get(f"/v1/devices/{DEVICE}/series?step=1"))
    rows, points = defaultdict(dict), 0
    for series in answer["series"]:
        for at, mean, *_ in series["points"]:
            rows[at][series["series"]] = mean
            points += 1
    if not points:
        raise NotMeasured("the collector tells no samples of the device")
    objects = [{"t": at, **rows[at]} for at in sorted(rows)]
    plain = [json.dumps(objects[first:first + ticks], separators=(",", ":")).encode() for first in range(0, len(objects), ticks)]
    return plain, [zlib.compress(payload, 9) for payload in plain], points
