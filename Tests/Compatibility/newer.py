"""Batches and acknowledgements as a newer Farwatch might write them, from Shared/README.md: newer.py CASE DEVICE STREAM SEQUENCE >MESSAGE

Cases: event (members that nobody knows, which is taken), kind (an unknown kind), block (a block of another format), header (another version of the batch),
acknowledgement (another version of an acknowledgement of that sequence)
"""
import json
import os
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../Telemetry"))
from decode import crc32c


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out + bytes([number]))


def batch(device, stream, sequence, kind, payload, version=1):
    name = device.encode()
    sealed = varint(int(time.time() * 1000) << 1)
    head = b"FW" + bytes([version, 0, kind, 20, len(name)]) + name + struct.pack("<Q", stream) + varint(sequence) + varint(1) + varint(0) + sealed
    return head + varint(len(payload)) + payload


def message(case, device, stream, sequence):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    event = json.dumps({"type": "of_a_newer_agent", "at": now, "unheard": {"of": [1, None, True]}}).encode()
    if case == "event":
        return batch(device, stream, sequence, 3, event)
    if case == "kind":
        return batch(device, stream, sequence, 9, event)
    if case == "block":
        return batch(device, stream, sequence, 1, b"\x03" + b"of another format")
    if case == "header":
        return batch(device, stream, sequence, 3, event, version=2)
    if case == "acknowledgement":
        return b"FA" + bytes([2, 0]) + struct.pack("<Q", stream) + varint(0) + varint(1) + varint(1) + varint(sequence) + b"\x00"
    sys.exit(f"newer.py: there is no case {case}")


if __name__ == "__main__":
    body = message(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    sys.stdout.buffer.write(body + struct.pack("<I", crc32c(body)))
