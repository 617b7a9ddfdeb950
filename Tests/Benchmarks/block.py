"""What a sample costs in a block, and how fast blocks are written and read, beside other ways to keep the same ticks."""

import collections
import gzip
import json
import lzma
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

from figures import Figure, NotMeasured

HERE = os.path.dirname(os.path.abspath(__file__))
SHARED = os.environ.get("FARWATCH_SHARED", os.path.join(HERE, "../../../shared"))
TSBS = os.path.join(SHARED, "telemetry/cpu-only_20hosts_6h_10s.influx.xz")
DEMO = os.path.join(SHARED, "telemetry/demo-624k-samples.jsonl.gz")
RECORDED = os.path.join(HERE, "Recorded/agent-10s.hex")
HOURS_TICKS = {"tsbs": 720, "demo": 1440}
STALE = 0x7FF0000000000002
DEVICE, SEALED_AT_BYTES = "edge-0001", 6


class Block:
    """Ticks: timestamps, and for each series its key and a bit pattern, or None, a tick."""

    def __init__(self, times, columns):
        self.times, self.columns = times, columns

    def write(self, file):
        file.write(struct.pack(f"<I{len(self.times)}qI", len(self.times), *self.times, len(self.columns)))
        for key, values in self.columns:
            file.write(struct.pack("<H", len(key)) + key + bytes(value is not None for value in values))
            file.write(struct.pack(f"<{len(values)}Q", *(value or 0 for value in values)))

    @property
    def samples(self):
        return sum(value is not None for _, values in self.columns for value in values)


def measure(programs, _seconds):
    if not programs.block:
        raise NotMeasured("there is no program block-benchmark in the build's folder")
    for name, blocks, note in sets():
        yield from figures(programs.block, name, blocks, note)


def sets():
    """The name, blocks and description of each set that is there."""
    yield "agent", recorded(), "a real agent's ticks, 10 s apart, 30 a block"
    for path in (TSBS, DEMO):
        if not os.path.exists(path):
            print(f"block: skipped, there is no {path} (FARWATCH_SHARED names its folder)", file=sys.stderr)
    if os.path.exists(TSBS):
        yield "tsbs", tsbs(False), "2-hour blocks a host, series named by their field, as a device's are"
        yield "tsbs.tags", tsbs(True), "2-hour blocks a host, the host's ten tags in every series"
    if os.path.exists(DEMO):
        yield "demo", demo(), "2-hour blocks an instance"


def figures(program, name, blocks, note):
    with tempfile.NamedTemporaryFile(prefix="farwatch-blocks-") as file:
        for block in blocks:
            block.write(file)
        file.flush()
        answer = json.loads(subprocess.run([program, file.name], capture_output=True, text=True, check=True).stdout)
    samples = answer["samples"]
    peers = {peer: bytes_of(blocks) / samples for peer, bytes_of in PEERS.items() if peer != "zstd -19" or shutil.which("zstd")}
    told = ", ".join(f"{peer} {value:.3g}" for peer, value in peers.items())
    first = "zstd -19" if "zstd -19" in peers else "Gorilla"
    what = {"zstd -19": "deltas in byte planes under zstd -19", "Gorilla": "Gorilla's chunks"}[first]
    yield Figure(
        "block.bytes_per_sample." + name, answer["bytes"] / samples, "bytes", what, peers[first], limit={"tsbs": 0.30, "demo": 0.68}.get(name),
        note=f"{note}: {answer['blocks']} blocks, {samples} samples, names included; the same ticks as {told}")
    if name == "agent":
        overhead = sum(overhead_bytes(sequence + 1, answer["bytes"] // len(blocks)) for sequence in range(len(blocks)))
        yield Figure(
            "block.wire_bytes_per_sample.agent", (answer["bytes"] + overhead) / samples, "bytes", "Sparkplug-style protobuf", peers["Sparkplug"],
            limit=1.2, note="the same in batches, each with its acknowledgement; the peer without any")
    for verb in ("encode", "decode"):
        yield Figure(
            f"block.{verb}_samples_per_second.{name}", samples / answer[verb + "_seconds"], "samples/s", "copying the values",
            samples / answer["copy_seconds"], limit={"encode": 5e7, "decode": 1e8}[verb] if name in HOURS_TICKS else None, note="one core")


# Sets


def key(metric, labels):
    return b"\0".join([metric.encode()] + [text.encode() for pair in labels for text in pair])


def pattern(value):
    return None if value is None else STALE if value == "stale" else struct.unpack("<Q", struct.pack("<d", value))[0]


def chunks(times, columns, ticks):
    for start in range(0, len(times), ticks):
        part = [(name, [pattern(value) for value in values[start:start + ticks]]) for name, values in columns]
        yield Block(times[start:start + ticks], [(name, values) for name, values in part if any(value is not None for value in values)])


def tsbs(has_tags):
    hosts = {}
    with lzma.open(TSBS, "rt") as file:
        for line in file:
            tags, fields, at = line.rsplit(" ", 2)
            times, columns = hosts.setdefault(tags, ([], {}))
            times.append(int(at) // 1_000_000)
            for field, value in (pair.split("=") for pair in fields.split(",")):
                columns.setdefault(field, []).append(float(value.rstrip("i")))
    blocks = []
    for tags, (times, columns) in hosts.items():
        labels = [pair.split("=") for pair in tags.split(",")[1:]] if has_tags else []
        blocks += chunks(times, [(key("cpu_" + field, labels), values) for field, values in columns.items()], HOURS_TICKS["tsbs"])
    return blocks


def demo():
    instances = collections.OrderedDict()
    with gzip.open(DEMO, "rt") as file:
        for series in map(json.loads, file):
            instances.setdefault(series["labels"]["instance"], []).append(series)
    blocks = []
    for group in instances.values():
        times = [group[0]["t0"] + index * group[0]["step"] for index in range(len(group[0]["values"]))]
        columns = [(key(one["labels"]["__name__"], [pair for pair in one["labels"].items() if pair[0] != "__name__"]), one["values"]) for one in group]
        blocks += chunks(times, columns, HOURS_TICKS["demo"])
    return blocks


def recorded():
    """Read by the tests' independent decoder."""
    sys.path.insert(0, os.path.join(HERE, "../Telemetry"))
    import decode  # pylint: disable=import-outside-toplevel
    page, blocks = decode.Page(), []
    with open(RECORDED, encoding="ascii") as file:
        for line in file:
            content = decode.block(bytes.fromhex(line.strip()), page)["block"]
            columns = [(key(one["metric"], one["labels"]), [pattern(value) for value in one["values"]]) for one in content["columns"]]
            blocks.append(Block(content["timestamps"], columns))
    return blocks


# Peers


def number(bits):
    """As JSON would have it."""
    value = struct.unpack("<d", struct.pack("<Q", bits))[0]
    return None if value - value else int(value) if value == int(value) and abs(value) < 1 << 53 else value


def as_json(block):
    names = [name.decode().replace("\0", " ") for name, _ in block.columns]
    rows = ({"t": at} | {name: number(values[tick]) for name, (_, values) in zip(names, block.columns) if values[tick] is not None}
            for tick, at in enumerate(block.times))
    return json.dumps(list(rows), separators=(",", ":")).encode()


def gorilla_bits(values):
    """Pelkonen et al., VLDB 2015, 4.1.2; a bit a sample for steady timestamps, no names."""
    last, window, bits = values[0], (65, 0), 64
    for value in values[1:]:
        change, last = value ^ last, value
        bits += 2
        if change:
            leading, trailing = min(31, 64 - change.bit_length()), (change & -change).bit_length() - 1
            bits += 1
            if leading < window[0] or trailing < window[1]:
                window, bits = (leading, trailing), bits + 11
            bits += 64 - window[0] - window[1]
    return bits


def sparkplug(block):
    """Eclipse Sparkplug's data message: the payload's timestamp and sequence, and a metric an alias, a type and a double."""
    size = 0
    for tick in range(len(block.times)):
        size += 9 + sum(2 + 2 + 2 + 9 + (index > 127) for index, (_, values) in enumerate(block.columns) if values[tick] is not None)
    return size


def decimal(values):
    """Integers over the least power of ten that gives all values back, else bit patterns."""
    doubles = [struct.unpack("<d", struct.pack("<Q", bits))[0] for bits in values]
    for exponent in range(13):
        power = float(10 ** exponent)
        if all(value - value == 0 and abs(value * power) < 1 << 51 and round(value * power) / power == value for value in doubles):
            return [round(value * power) for value in doubles]
    return values


def planes(blocks):
    """Zigzag deltas of exact decimals, the bytes of one significance together, a block at a time under zstd."""
    total = 0
    for block in blocks:
        data = bytearray()
        for _, values in block.columns:
            integers = decimal([value for value in values if value is not None])
            deltas = [(after - before) for before, after in zip([0] + integers, integers)]
            zigzag = [(delta << 1 if delta >= 0 else -delta * 2 - 1) & (1 << 64) - 1 for delta in deltas]
            packed = struct.pack(f"<{len(zigzag)}Q", *zigzag)
            for place in range(8):
                data += packed[place::8]
        total += len(subprocess.run(["zstd", "-q", "-19", "-c"], input=bytes(data), capture_output=True, check=True).stdout)
    return total


PEERS = {
    "JSON": lambda blocks: sum(len(as_json(block)) for block in blocks),
    "JSON under zlib": lambda blocks: sum(len(zlib.compress(as_json(block), 9)) for block in blocks),
    "Gorilla": lambda blocks: sum(
        gorilla_bits([value for value in values if value is not None]) for block in blocks for _, values in block.columns) / 8,
    "Sparkplug": lambda blocks: sum(map(sparkplug, blocks)),
    "zstd -19": planes,
}


def varint_bytes(value):
    return max(1, (value.bit_length() + 6) // 7)


def overhead_bytes(sequence, payload):
    """The header and checksum of a batch, and an acknowledgement of it alone: Shared/README.md."""
    batch = 2 + 1 + 1 + 1 + 1 + 1 + len(DEVICE) + 8 + varint_bytes(sequence) + 1 + 1 + SEALED_AT_BYTES + varint_bytes(payload) + 4
    return batch + 2 + 1 + 1 + 8 + 1 + 1 + varint_bytes(sequence) + 1 + 1 + 4
