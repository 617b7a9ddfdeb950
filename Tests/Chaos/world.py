"""The ground that a run stands on: sites with a network and a disk of their own, which can be cut and filled."""

import os
import shutil
import subprocess

LOOPBACK = "127.0.0.1"
# Left free on a disk that is filled, so that not even SQLite's smallest write fits.
FILL_CHUNK = 1 << 16


def quietly(*command):
    """Whether it worked."""
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


class World:
    """With namespaces each site has a veth pair to the broker's side and a small tmpfs; without, all share the loopback and one disk."""

    def __init__(self, directory, has_namespaces):
        self.directory = directory
        self.has_network = has_namespaces and self.prepare_network()
        self.has_disks = has_namespaces and self.disks_work()
        self.can_delay = self.has_discipline("netem delay 1ms")
        self.can_throttle = self.has_discipline("tbf rate 64kbit burst 5kb latency 400ms")
        self.sites = []

    def prepare_network(self):
        # The namespaces' names live under /run; this one is seen by this run alone.
        return quietly("mount", "-t", "tmpfs", "tmpfs", "/run") and quietly("ip", "link", "set", "lo", "up")

    def has_discipline(self, how):
        """Whether the kernel can treat packets so."""
        if not self.has_network or not quietly("tc", "qdisc", "add", "dev", "lo", "root", *how.split()):
            return False
        return quietly("tc", "qdisc", "del", "dev", "lo", "root")

    def disks_work(self):
        probe = os.path.join(self.directory, "probe")
        os.makedirs(probe)
        works = quietly("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", probe) and quietly("umount", probe)
        os.rmdir(probe)
        return works

    def site(self, name, disk_bytes):
        site = Site(self, name, len(self.sites) + 1, disk_bytes)
        self.sites.append(site)
        return site


class Site:
    """A place where programs run."""

    def __init__(self, world, name, number, disk_bytes):
        self.world, self.name, self.number = world, name, number
        self.directory = os.path.join(world.directory, name)
        os.makedirs(self.directory)
        self.filler = os.path.join(self.directory, "filler")
        self.address = LOOPBACK
        self.broker_address = LOOPBACK
        self.prefix = []
        if world.has_disks and not quietly("mount", "-t", "tmpfs", "-o", f"size={disk_bytes}", "tmpfs", self.directory):
            raise OSError(f"no tmpfs can be mounted at {self.directory}")
        if world.has_network:
            self.connect()

    def connect(self):
        self.near, far = f"veth{self.number}", f"far{self.number}"
        self.broker_address, self.address = f"10.77.{self.number}.1", f"10.77.{self.number}.2"
        self.prefix = ["ip", "netns", "exec", self.name]
        inside = ["ip", "-n", self.name]
        for command in [
            ["ip", "netns", "add", self.name],
            ["ip", "link", "add", self.near, "type", "veth", "peer", "name", far, "netns", self.name],
            ["ip", "address", "add", self.broker_address + "/24", "dev", self.near],
            ["ip", "link", "set", self.near, "up"],
            [*inside, "address", "add", self.address + "/24", "dev", far],
            [*inside, "link", "set", far, "up"],
            [*inside, "link", "set", "lo", "up"],
        ]:
            if not quietly(*command):
                raise OSError("failed: " + " ".join(command))

    def cut(self):
        quietly("ip", "link", "set", self.near, "down")

    def heal(self):
        quietly("ip", "link", "set", self.near, "up")

    def shape(self, how):
        quietly("tc", "qdisc", "replace", "dev", self.near, "root", *how.split())

    def unshape(self):
        quietly("tc", "qdisc", "del", "dev", self.near, "root")

    def fill(self):
        """Takes every byte that is free."""
        with open(self.filler, "wb", buffering=0) as file:
            size = FILL_CHUNK
            while size >= 1:
                try:
                    if file.write(bytes(size)) < size:
                        size //= 2
                except OSError:
                    size //= 2

    def free(self):
        if os.path.exists(self.filler):
            os.remove(self.filler)

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def remove(self):
        if self.world.has_disks:
            quietly("umount", "-l", self.directory)
        shutil.rmtree(self.directory, ignore_errors=True)
