"""What can go wrong. A fault begins, lasts, and ends; while it lasts nothing else happens to its targets."""

import os
import shutil
import sqlite3
import subprocess

from services import now

DAMAGES = ["truncated", "bit flipped", "page zeroed", "log garbled", "header garbled"]
PAGE = 4096
# A device whose buffer was damaged so often in so many milliseconds takes the next one for the disk's fault: it keeps the buffer in memory from then on, and
# what the file on the disk holds is there until a later start.
DAMAGES_MAX, DAMAGES_WITHIN = 3, 600_000
THROTTLES = ["tbf rate 64kbit burst 5kb latency 400ms", "tbf rate 500kbit burst 8kb latency 1000ms"]
DELAYS = [
    "netem delay 80ms 40ms", "netem delay 300ms 100ms distribution normal", "netem loss 10%", "netem loss 30%",
    "netem delay 20ms 15ms reorder 25% 50%", "netem duplicate 10%",
]


class Fault:
    kind = ""
    weight = 1
    seconds = (0.2, 3)

    def __init__(self, run, random):
        self.run = run
        self.duration = random.uniform(*self.seconds)

    @staticmethod
    def is_possible(run):
        return True

    def targets(self):
        """What no other fault may touch meanwhile."""
        return []

    def begin(self):
        pass

    def goes_on(self):
        """Called some twenty times a second while it lasts."""

    def end(self):
        pass


class KillOne(Fault):
    """SIGKILL, and started again after a while."""

    def __init__(self, run, random, services):
        super().__init__(run, random)
        self.service = random.choice(services)

    def targets(self):
        return [self.service]

    def begin(self):
        self.service.kill()

    def end(self):
        self.service.start()


class KillCollector(KillOne):
    kind, weight = "collector killed", 3

    def __init__(self, run, random):
        super().__init__(run, random, [run.collector])


class KillFleet(KillOne):
    kind, weight = "devices killed", 4

    def __init__(self, run, random):
        super().__init__(run, random, run.fleets)


class KillAgent(KillOne):
    kind, weight = "agent killed", 3

    def __init__(self, run, random):
        super().__init__(run, random, run.agents)


class RestartBroker(KillOne):
    kind, weight = "broker killed", 2

    def __init__(self, run, random):
        super().__init__(run, random, [run.broker])


class ForgetfulBroker(RestartBroker):
    kind = "broker killed, its state lost"

    def begin(self):
        super().begin()
        self.service.forget()


class Pause(Fault):
    """SIGSTOP and SIGCONT, some of them longer than an acknowledgement may take."""

    kind, weight, seconds = "process stopped and continued", 4, (1, 14)

    def __init__(self, run, random):
        super().__init__(run, random)
        self.service = random.choice([run.collector, run.broker, *run.fleets, *run.agents])

    def targets(self):
        return [self.service]

    def begin(self):
        self.service.pause()

    def end(self):
        self.service.resume()


class Cut(Fault):
    kind, weight, seconds = "network cut", 4, (0.5, 8)

    def __init__(self, run, random):
        super().__init__(run, random)
        self.site = random.choice(run.world.sites)

    @staticmethod
    def is_possible(run):
        return run.world.has_network

    def targets(self):
        return [(self.site, "network")]

    def begin(self):
        self.site.cut()

    def end(self):
        self.site.heal()


class Flap(Cut):
    """The network comes and goes."""

    kind, weight, seconds = "network flapping", 2, (2, 8)

    def __init__(self, run, random):
        super().__init__(run, random)
        self.random = random

    def goes_on(self):
        if self.random.random() < 0.5:
            self.site.cut()
        else:
            self.site.heal()


class Throttle(Cut):
    kind, weight, seconds = "network slow", 2, (2, 10)

    def __init__(self, run, random):
        super().__init__(run, random)
        self.how = random.choice(THROTTLES)

    @staticmethod
    def is_possible(run):
        return run.world.can_throttle

    def begin(self):
        self.site.shape(self.how)

    def end(self):
        self.site.unshape()


class Degrade(Throttle):
    kind, weight = "network late or lossy", 3

    def __init__(self, run, random):
        super().__init__(run, random)
        self.how = random.choice(DELAYS)

    @staticmethod
    def is_possible(run):
        return run.world.can_delay


class FullDisk(Fault):
    kind, weight, seconds = "disk full", 3, (1, 5)

    def __init__(self, run, random):
        super().__init__(run, random)
        self.site = random.choice(run.world.sites)

    @staticmethod
    def is_possible(run):
        return run.world.has_disks

    def targets(self):
        return [(self.site, "disk")]

    def begin(self):
        for agent in run_agents(self.run, self.site):
            agent.interrupted()
        self.site.fill()

    def end(self):
        self.site.free()
        for agent in run_agents(self.run, self.site):
            if agent.is_running:
                agent.started()


def run_agents(run, site):
    return [agent for agent in run.agents if agent.site is site]


class SlowStore(Fault):
    """Somebody else holds the store's lock, longer than the collector waits for it."""

    kind, weight, seconds = "collector's store locked", 2, (1, 9)

    def targets(self):
        return [(self.run.collector, "store")]

    def begin(self):
        self.connection = None
        path = self.run.collector.site.path("data", "timeseries.sqlite")
        if not os.path.exists(path):
            return
        try:
            self.connection = sqlite3.connect(path, timeout=2, isolation_level=None)
            self.connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error:
            self.end()

    def end(self):
        if self.connection:
            self.connection.close()
        self.connection = None


# What a program may take to end when it is asked to.
ENDING_SECONDS_MAX = 10


class SecondCollector(Fault):
    """Another collector shares the subscription and the stores for a while, and goes or is killed."""

    kind, weight, seconds = "second collector", 3, (3, 15)

    def __init__(self, run, random):
        super().__init__(run, random)
        self.is_killed = random.random() < 0.5

    def targets(self):
        return [self.run.second_collector]

    def begin(self):
        self.run.second_collector.start()

    def end(self):
        service = self.run.second_collector
        if not self.is_killed and service.is_running:
            service.terminate()
            try:
                service.process.wait(ENDING_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self.run.say(f"{service.name} did not end when asked to")
        service.kill()


class Damage(Fault):
    """A device's buffer is damaged: while it is down, or while it runs."""

    kind, weight, seconds = "buffer damaged", 3, (0.2, 2)
    is_in_use = False

    def __init__(self, run, random):
        super().__init__(run, random)
        self.fleet = random.choice(run.fleets)
        self.choice = random.random()
        self.how = random.choice(DAMAGES)
        self.random = random

    def targets(self):
        return [self.fleet, (self.fleet.site, "disk")]

    def begin(self):
        self.fleet.kill()
        self.damage()

    def end(self):
        self.fleet.start()

    def damage(self):
        buffers = [path for path in self.fleet.buffers() if self.damages_lately(path) < DAMAGES_MAX]
        if not buffers:
            return
        path = buffers[int(self.choice * len(buffers))]
        device = device_of(path)
        kept = os.path.join(self.run.damages, device, str(now()) + ("-in-use" if self.is_in_use else ""))
        os.makedirs(kept)
        for suffix in ["", "-wal"]:
            if os.path.exists(path + suffix):
                shutil.copyfile(path + suffix, os.path.join(kept, "buffer.sqlite" + suffix))
        self.run.say(f"{device}: {self.how}{', in use' if self.is_in_use else ''}")
        spoil(path, self.how, self.random)

    def damages_lately(self, path):
        folder = os.path.join(self.run.damages, device_of(path))
        times = os.listdir(folder) if os.path.isdir(folder) else []
        return sum(1 for time in times if int(time.removesuffix("-in-use")) > now() - DAMAGES_WITHIN)


def device_of(path):
    return os.path.basename(path).removesuffix(".sqlite")


def spoil(path, how, random):
    """Damages a database of pages, or its log, in place."""
    if how == "log garbled":
        path = path + "-wal" if os.path.exists(path + "-wal") and os.path.getsize(path + "-wal") > 0 else path
    size = os.path.getsize(path)
    if size < 2 * PAGE:
        return
    with open(path, "r+b") as file:
        if how == "truncated":
            file.truncate(random.randrange(1, size))
        elif how == "page zeroed":
            file.seek(random.randrange(size // PAGE) * PAGE)
            file.write(bytes(PAGE))
        elif how == "header garbled":
            file.write(random.randbytes(100))
        else:
            count = 1 if how == "bit flipped" else 64
            for _ in range(count):
                place = random.randrange(size)
                file.seek(place)
                byte = file.read(1)[0]
                file.seek(place)
                file.write(bytes([byte ^ 1 << random.randrange(8)]))


class DamageInUse(Damage):
    kind, weight = "buffer damaged in use", 2
    is_in_use = True

    def begin(self):
        # Stopped for the moment, so that the copy is of what is damaged.
        self.fleet.pause()
        self.damage()
        self.fleet.resume()

    def end(self):
        pass


class ClockStep(Fault):
    """The devices' clocks step, forth or back, and later to right time again."""

    kind, weight, seconds = "clock stepped", 3, (2, 12)

    def __init__(self, run, random):
        super().__init__(run, random)
        self.fleet = random.choice(run.fleets)
        self.offset = random.choice([-1, 1]) * random.choice([5_000, 61_000, 3_600_000, 12 * 3_600_000])

    def targets(self):
        return [(self.fleet, "clock")]

    def begin(self):
        self.fleet.set_clock(self.offset)

    def end(self):
        self.fleet.set_clock(0)


class BootIn1970(ClockStep):
    """Devices start without knowing the time, and learn it later."""

    kind, weight, seconds = "clock lost at boot, set later", 2, (3, 15)

    def targets(self):
        return [self.fleet, (self.fleet, "clock")]

    def begin(self):
        self.fleet.kill()
        self.fleet.set_clock(-now() + 1_000)
        self.fleet.start()


KINDS = [
    KillCollector, KillFleet, KillAgent, RestartBroker, ForgetfulBroker, Pause, Cut, Flap, Throttle, Degrade, FullDisk, SlowStore, SecondCollector, Damage, DamageInUse, ClockStep,
    BootIn1970,
]
