"""A scratch directory and the real programs on free loopback ports. Everything that a stage started ends with it."""

import ctypes
import json
import mmap
import os
import pwd
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from figures import NotMeasured

HOST = "127.0.0.1"
LOG_LINES_TOLD = 12
# prctl(2): "Set the parent-death signal of the calling process". So nothing outlives a benchmark that is killed.
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


def free_port():
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def wait_for(what, seconds, condition):
    """The first answer of `condition` that is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.05)
    raise NotMeasured(f"waited {seconds} s in vain: {what}")


class Stage:
    """One broker, one collector, and what speaks to them. Used as a context."""

    def __init__(self, programs):
        self.programs = programs
        self.directory = tempfile.mkdtemp(prefix="farwatch-benchmark-")
        self.broker_port = free_port()
        self.http = None
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            end(process)
        shutil.rmtree(self.directory, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    # Programs

    def start(self, name, command, environment=None, output=None, **options):
        """Starts a program. What it says goes to `name`.log, its standard output to the file `output` or as the options say."""
        # Shared with the process that becomes the program, which notes when that is: what Python takes until then is not the program's.
        executed = mmap.mmap(-1, 8)

        def before_execution():
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            executed[:] = struct.pack("d", time.monotonic())

        with open(self.path(name + ".log"), "wb") as log, open(self.path(output) if output else os.devnull, "wb") as file:
            options.setdefault("stdout", file if output else log)
            options.setdefault("stdin", subprocess.DEVNULL)
            process = subprocess.Popen(
                command, stderr=log, env={**os.environ, **(environment or {})}, preexec_fn=before_execution, **options)
        process.executed_at = struct.unpack("d", executed[:])[0]
        self.processes.append(process)
        process.name = name
        return process

    def log(self, name):
        with open(self.path(name + ".log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def expect_alive(self):
        for process in self.processes:
            if process.poll() not in (None, 0):
                raise NotMeasured(f"{process.name} ended with {process.returncode}:\n{self.last_lines(process.name)}")

    def last_lines(self, name):
        return "\n".join(self.log(name).splitlines()[-LOG_LINES_TOLD:])

    def start_broker(self, more=""):
        """Nothing is kept on disk, and nothing is dropped for want of a queue. It stays the user that it is: prctl(2) clears the parent-death signal
        of a process that changes its user, as a broker started by root does otherwise."""
        file = self.write("mosquitto.conf", f"""\
listener {self.broker_port} {HOST}
allow_anonymous true
user {pwd.getpwuid(os.getuid()).pw_name}
persistence false
max_inflight_messages 0
max_queued_messages 100000
set_tcp_nodelay true
{more}
""")
        broker = self.start("broker", ["mosquitto", "-c", file])
        wait_for("the broker listens", 10, self.broker_answers)
        return broker

    def broker_answers(self):
        self.expect_alive()
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self.broker_port)) == 0

    def start_collector(self, more=None):
        """On embedded stores, unless `more` of its environment says otherwise."""
        environment = {
            "FARWATCH_BROKER_HOST": HOST, "FARWATCH_BROKER_PORT": str(self.broker_port), "FARWATCH_DATA_DIRECTORY": self.path("data"),
            "FARWATCH_HTTP_HOST": HOST, "FARWATCH_HTTP_PORT": "0", **(more or {}),
        }
        collector = self.start("collector", [self.programs.collector, "serve"], environment)
        self.http = wait_for("the collector listens", 20, self.listening_url)
        wait_for("the collector is ready", 20, self.is_ready)
        return collector

    def listening_url(self):
        self.expect_alive()
        match = re.search(r"url=(http://\S+:[1-9]\d*)", self.log("collector"))
        return match and match.group(1)

    def is_ready(self):
        try:
            self.get("/readyz")
            return True
        except urllib.error.HTTPError:
            return False

    def start_agent(self, device, more="", broker_port=None):
        """The default settings, but for places, one second between ticks, and `more`."""
        file = self.write("agent.yaml", f"""\
device: {{id: {device}}}
broker: {{host: {HOST}, port: {broker_port or self.broker_port}}}
sampling: {{interval: 1s}}
status: {{socket: {self.path("agent.sock")}}}
{more}
""")
        return self.start("agent", [self.programs.agent, "run", "--config", file])

    def agent_status(self):
        answer = subprocess.run(
            [self.programs.agent, "status", "--config", self.path("agent.yaml"), "--json"], capture_output=True, text=True, timeout=10, check=False)
        return json.loads(answer.stdout) if answer.returncode == 0 else {"connected": False}

    def told(self):
        """The running agent's status, from its socket: without a process of its own to ask; nothing while it does not answer."""
        try:
            with socket.socket(socket.AF_UNIX) as asked:
                asked.settimeout(10)
                asked.connect(self.path("agent.sock"))
                return json.loads(asked.makefile("rb").read())
        except (OSError, ValueError):
            return {}

    def ticks(self):
        return self.told().get("ticks", 0)

    def stop(self, process):
        self.processes.remove(process)
        end(process)

    # HTTP

    def get(self, path):
        with urllib.request.urlopen(self.http + path, timeout=10) as answer:
            return answer.read().decode()

    def metric(self, name, **labels):
        """The sum over all that have these labels."""
        total = 0.0
        for line in self.get("/metrics").splitlines():
            match = re.match(rf"{name}(?:{{(.*)}})? (\S+)$", line)
            if match and all(f'{key}="{value}"' in (match.group(1) or "") for key, value in labels.items()):
                total += float(match.group(2))
        return total


def end(process):
    """Asks, waits, and only then kills."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def cpu_seconds(process):
    """The processor time of all threads, to the nanosecond."""
    total = 0
    tasks = f"/proc/{process.pid}/task"
    for task in os.listdir(tasks):
        with open(f"{tasks}/{task}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e9


def memory_bytes(process, kind):
    """A line of smaps_rollup: `Anonymous`, `Pss`, …"""
    with open(f"/proc/{process.pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            if line.startswith(kind + ":"):
                return int(line.split()[1]) * 1024
    raise NotMeasured(f"the kernel tells no {kind} of process {process.pid}")
