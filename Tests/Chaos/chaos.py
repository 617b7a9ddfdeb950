"""Breaks a fleet, a broker and a collector for a while, lets them heal, and checks every sample. Started by `run`."""

import argparse
import collections
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zlib

import faults
from report import Report
from services import AgentService, Broker, Collector, FleetService
from world import LOOPBACK, World

FLEETS = 4
AGENTS = 2
BROKER_PORT_IN_NAMESPACE = 1883
ACTIVE_MAX = 4
DRAIN_SECONDS = 150
# How fast each fleet seals, in seconds; small and large batches.
SEAL_AGES = [1, 2, 3, 6]
INTERVAL = 0.5
SERIES = 20
# Devices with the smallest buffer and more in it than it holds, so that they must thin.
PRESSED_DEVICES = 3
PRESSED_TICKS = 45_000
PRESSED_SEAL_SECONDS = 30
PRESSED_BUFFER_BYTES = 4 << 20
SITE_BYTES = 256 << 20
COLLECTOR_BYTES = 2 << 30


class Run:
    """One run, from the first start to the check."""

    def __init__(self, options, directory):
        self.options, self.directory = options, directory
        self.random = random.Random(options.seed)
        self.counts = collections.Counter()
        self.active = []
        self.world = World(directory, options.namespaces)
        self.logs, self.truth, self.damages = (self.folder(name) for name in ["logs", "truth", "damages"])
        self.stage()

    def folder(self, name):
        path = os.path.join(self.directory, name)
        os.makedirs(path)
        return path

    def stage(self):
        options, world = self.options, self.world
        collector_site = world.site("collector", COLLECTOR_BYTES)
        fleet_sites = [world.site(f"site{index + 1}", SITE_BYTES) for index in range(FLEETS)]
        agent_site = world.site("agents", SITE_BYTES)
        pressed_site = world.site("pressed", SITE_BYTES)
        port = BROKER_PORT_IN_NAMESPACE if world.has_network else free_port()
        self.broker = Broker(os.path.join(self.directory, "broker"), self.logs, port, [LOOPBACK, *(site.broker_address for site in world.sites)])
        self.collector = Collector("collector", options.program("farwatch-collector"), collector_site, self.logs, port)
        self.second_collector = Collector("collector2", options.program("farwatch-collector"), collector_site, self.logs, port)
        pressed = min(PRESSED_DEVICES, options.devices // 10)
        counts = [(options.devices - pressed) // FLEETS + (index < (options.devices - pressed) % FLEETS) for index in range(FLEETS)]
        self.fleets = [
            self.fleet(f"chaos{index + 1}", site, counts[index], SEAL_AGES[index]) for index, site in enumerate(fleet_sites) if counts[index]]
        if pressed:
            fleet = self.fleet("pressed", pressed_site, pressed, PRESSED_SEAL_SECONDS, "--buffer-bytes", str(PRESSED_BUFFER_BYTES))
            fleet.backlog = ["--backlog", str(PRESSED_TICKS)]
            self.fleets.append(fleet)
        self.agents = [AgentService(f"edge-{index + 1}", options.agent, agent_site, self.logs, port) for index in range(AGENTS)]
        self.services = [self.broker, self.collector, *self.fleets, *self.agents]
        self.extras = [self.second_collector]

    def fleet(self, name, site, devices, seal_seconds, *more):
        # Each fleet has values of its own.
        seed = self.options.seed + (zlib.crc32(name.encode()) << 32)
        return FleetService(name, self.options.program("farwatch-fleetsim"), site, self.logs, self.broker.port, self.truth, [
            "--devices", str(devices), "--interval", str(INTERVAL), "--series", str(SERIES), "--seal-age", str(seal_seconds),
            "--drain", str(DRAIN_SECONDS), "--seed", str(seed), *more,
        ])

    def say(self, text):
        print(f"{time.monotonic() - self.began:7.1f} s  {text}", file=sys.stderr, flush=True)

    # The course of things

    def go(self):
        self.began = time.monotonic()
        for service in self.services:
            service.start()
        self.work(3)
        self.break_things(time.monotonic() + self.options.minutes * 60)
        self.heal()
        self.drain()

    def work(self, seconds):
        """Lets time pass, and tends to what has ended by itself."""
        end = time.monotonic() + seconds
        while True:
            for service in [*self.services, *self.extras]:
                service.tend()
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(0.05, left))

    def break_things(self, end):
        wanted = [kind for kind in faults.KINDS if not self.options.only or self.options.only in kind.kind]
        kinds = [kind for kind in wanted if kind.is_possible(self)]
        for kind in wanted:
            if kind not in kinds:
                self.say(f"SKIPPED: {kind.kind}: this user or this machine's kernel cannot do it")
        next_at = time.monotonic()
        while time.monotonic() < end:
            self.end_faults(lambda fault: fault.ends_at <= time.monotonic())
            for fault in self.active:
                fault.goes_on()
            if time.monotonic() >= next_at:
                next_at = time.monotonic() + self.random.expovariate(1 / self.options.every)
                self.begin_fault(kinds)
            self.work(0.05)

    def begin_fault(self, kinds):
        fault = self.random.choices(kinds, [kind.weight for kind in kinds])[0](self, self.random)
        busy = [target for other in self.active for target in other.targets()]
        if len(self.active) >= ACTIVE_MAX or any(target in busy for target in fault.targets()):
            return
        fault.begin()
        fault.ends_at = time.monotonic() + fault.duration
        self.active.append(fault)
        self.counts[fault.kind] += 1
        self.say(f"{sum(self.counts.values()):4}  {fault.kind}: {self.described(fault)}, {fault.duration:.1f} s")

    @staticmethod
    def described(fault):
        things = [target[0] if isinstance(target, tuple) else target for target in fault.targets()]
        return things[0].name + (f" ({fault.how})" if hasattr(fault, "how") else "")

    def end_faults(self, is_due):
        for fault in [fault for fault in self.active if is_due(fault)]:
            fault.end()
            self.active.remove(fault)

    def heal(self):
        self.say("healing")
        self.end_faults(lambda _: True)
        for service in self.services:
            service.resume()
            if not service.is_running:
                service.start()
        # Clocks are right again, brokers and collectors are up.
        self.work(3)

    def drain(self):
        """Nothing is sampled any more; what is on devices must get to the store."""
        self.say(f"draining, {DRAIN_SECONDS} s at most")
        end = time.monotonic() + DRAIN_SECONDS
        for fleet in self.fleets:
            fleet.terminate()
        self.drain_agents(end)
        for fleet in self.fleets:
            try:
                fleet.process.wait(max(1, end + 10 - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.say(f"{fleet.name} did not end")
                fleet.kill()
        for service in [self.collector, self.broker]:
            service.terminate()
            try:
                service.process.wait(20)
            except subprocess.TimeoutExpired:
                self.say(f"{service.name} did not end when asked to")
                service.kill()
        with open(self.path("agents.json"), "w", encoding="utf-8") as file:
            json.dump([{"device": agent.name, "interval": agent.INTERVAL, "up": agent.windows} for agent in self.agents], file)
        self.drained = time.monotonic()

    def drain_agents(self, end):
        """Agents seal and send when they end, but for two seconds only; one that has something left is started again."""
        self.agents_left = list(self.agents)
        for agent in self.agents:
            agent.interrupted()
        while self.agents_left and time.monotonic() < end:
            self.work(2)
            for agent in list(self.agents_left):
                if not agent.is_running:
                    agent.start()
                if not self.agent_status(agent).get("connected"):
                    continue
                agent.terminate()
                agent.process.wait(10)
                buffer = self.agent_status(agent).get("buffer", {})
                if buffer.get("unacknowledged_batches") == 0 and buffer.get("unsealed_ticks") == 0:
                    self.agents_left.remove(agent)
        for agent in self.agents:
            agent.kill()

    def agent_status(self, agent):
        answer = subprocess.run(
            [agent.program, "status", "--config", agent.config, "--json"], capture_output=True, text=True, timeout=10, check=False)
        try:
            return json.loads(answer.stdout)
        except ValueError:
            return {}

    def check(self):
        command = [
            self.options.program("farwatch-chaos-check"), "--store", self.collector.site.path("data"), "--truth", self.truth,
            "--buffers", self.directory, "--damages", self.damages, "--agents", self.path("agents.json"),
        ]
        if self.options.canary:
            command += ["--canary", self.options.canary]
        self.say("checking every sample")
        answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if answer.returncode not in (0, 1):
            raise RuntimeError(f"the check ended with {answer.returncode}")
        return json.loads(answer.stdout)

    def path(self, name):
        return os.path.join(self.directory, name)

    def end(self):
        for service in [*self.services, *self.extras]:
            service.kill()


def free_port():
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]


def parsed():
    parser = argparse.ArgumentParser(prog="Tests/Chaos/run")
    parser.add_argument("--minutes", type=float, default=1.5)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--devices", type=int, default=100)
    parser.add_argument("--every", type=float, default=3)
    parser.add_argument("--only")
    parser.add_argument("--report")
    parser.add_argument("--keep")
    parser.add_argument("--canary", choices=["lose", "double", "alter"])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--namespaces", action="store_true")
    parser.add_argument("--build", required=True)
    parser.add_argument("--agent", required=True)
    options = parser.parse_args()
    if options.only and not any(options.only in kind.kind for kind in faults.KINDS):
        parser.error(f"--only takes a part of one of: {', '.join(kind.kind for kind in faults.KINDS)}")
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1, 1 << 31)
    options.agent = os.path.abspath(options.agent)
    options.program = lambda name: os.path.join(os.path.abspath(options.build), name)
    for program in [options.agent, *(options.program(name) for name in ["farwatch-collector", "farwatch-fleetsim", "farwatch-chaos-check"])]:
        if not os.access(program, os.X_OK):
            print(f"Tests/Chaos/run: there is no program {program}", file=sys.stderr)
            sys.exit(69)
    return options


def main():
    options = parsed()
    for number in [signal.SIGTERM, signal.SIGHUP]:
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    # A shell starts what runs in the background with this one ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    directory = tempfile.mkdtemp(prefix="farwatch-chaos-")
    print(f"seed {options.seed}, {options.minutes:g} minutes, {options.devices} simulated devices, {AGENTS} agents", file=sys.stderr, flush=True)
    run = None
    keeps = bool(options.keep)
    try:
        run = Run(options, directory)
        run.go()
        # Also of a check that cannot be made.
        keeps = True
        report = Report(run, run.check())
        keeps = bool(options.keep) or not report.is_good and not options.canary
        print(report.json() if options.json else report.text(), flush=True)
        if options.report:
            with open(options.report, "w", encoding="utf-8") as file:
                file.write(report.text() + "\n")
        return 0 if report.is_good else 1
    finally:
        if run:
            run.end()
            if keeps:
                kept = options.keep or tempfile.mkdtemp(prefix="farwatch-chaos-kept-")
                shutil.copytree(directory, kept, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sock", "filler"))
                print(f"everything is kept in {kept}", file=sys.stderr)
            for site in run.world.sites:
                site.remove()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
