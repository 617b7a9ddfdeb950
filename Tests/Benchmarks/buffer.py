"""What a device's buffer costs its disk: bytes a sample in the file and written, and how long it lasts."""

import os
import subprocess

from backlog import DAY_TICKS, INTERVAL_SECONDS, SEAL_SECONDS, SERIES
from figures import Figure, NotMeasured
from stage import Stage

DAYS = 7
# 64 MiB without the room for log and reserve, to 90 % of which the buffer fills before it thins: BufferLimits.
BUFFER_BYTES = (64 * 1024 - 1_600 - 512) * 1024 * 9 // 10


def measure(programs, _):
    samples = DAYS * DAY_TICKS * SERIES
    with Stage(programs) as stage:
        folder = stage.path("buffers")
        written = fill(programs, folder)
        size = os.path.getsize(os.path.join(folder, "edge-0001.sqlite"))
    what = f"{DAYS} days of {SERIES} series at {INTERVAL_SECONDS} s ticks, a batch in {SEAL_SECONDS} s, never connected"
    yield Figure("buffer.bytes_per_sample", size / samples, "bytes", note=f"{what}: {size} bytes of file for {samples} samples")
    yield Figure(
        "buffer.flash_bytes_per_sample", written / samples, "bytes",
        note=f"{what}: {written} bytes by write(2), `wchar` of /proc/PID/io, {written / DAYS / 1e6:.1f} MB a day, as if the kernel brought each to the "
        "disk by itself; the log's index, which is shared memory, is not in it")
    yield Figure("buffer.days_in_64MiB", BUFFER_BYTES / (size / DAYS), "days", note="worked out from the bytes a day above: until the oldest is thinned")


def fill(programs, folder):
    """Fills one device's buffer; the bytes that were written for it."""
    command = [
        programs.fleet, "--devices", "1", "--prefix", "edge", "--series", str(SERIES), "--backlog", str(DAYS * DAY_TICKS), "--interval",
        str(INTERVAL_SECONDS), "--seal-age", str(SEAL_SECONDS), "--directory", folder, "--fill-only", "--quiet",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        # It has ended and is not forgotten yet: its counts can still be read.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with open(f"/proc/{process.pid}/io", encoding="ascii") as file:
            counts = dict(line.split(": ") for line in file.read().splitlines())
    if process.returncode != 0:
        raise NotMeasured("the buffer could not be filled")
    return int(counts["wchar"])
