"""Buffers as devices have them after days without a link, and what a program has needed at most."""

import os
import resource
import subprocess

from figures import NotMeasured

SERIES = 15
INTERVAL_SECONDS = 10
SEAL_SECONDS = 60
DAY_TICKS = 86_400 // INTERVAL_SECONDS
FILL_SECONDS_MAX = 600


def fill(programs, folder, devices, ticks):
    """Makes the buffers; device N is `edge-NNNN`. An agent's default settings: a tick in 10 s, a batch a minute."""
    command = [
        programs.fleet, "--devices", str(devices), "--prefix", "edge", "--series", str(SERIES), "--backlog", str(ticks),
        "--interval", str(INTERVAL_SECONDS), "--seal-age", str(SEAL_SECONDS), "--directory", folder, "--fill-only", "--quiet",
    ]
    if subprocess.run(command, stdout=subprocess.DEVNULL, timeout=FILL_SECONDS_MAX, check=False).returncode != 0:
        raise NotMeasured("the buffers could not be filled")


def peak_bytes(process):
    """The most memory that was resident since the start."""
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    raise NotMeasured(f"the kernel tells no peak of process {process.pid}")


def allow_many_files():
    """A device's buffer and connection take five descriptors, and a thousand devices are one process here."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def megabytes(count):
    return f"{count / 1e6:.1f} MB"


def buffer_settings(folder, device):
    return f"buffer: {{path: {os.path.join(folder, device)}.sqlite}}"
