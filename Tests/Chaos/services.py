"""The programs under test, each started again when it was killed, as a service manager would."""

import ctypes
import os
import signal
import subprocess
import time

from world import LOOPBACK

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)
LOG_LINES_TOLD = 15
# What a program may need before it does its work, in seconds; and a window in which a tick is not counted on.
STARTING_SECONDS = 1.5
# By these a program ends that nobody has killed: it has trapped.
CRASHES = {signal.SIGILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGTRAP, signal.SIGBUS, signal.SIGFPE}


def now():
    """Milliseconds since 1970."""
    return int(time.time() * 1000)


class Service:
    """One program. It runs unless a fault has taken it down."""

    RESTART_SECONDS = 1.0

    def __init__(self, name, site, logs):
        self.name, self.site = name, site
        self.log_path = os.path.join(logs, name + ".log")
        self.process = None
        self.is_wanted = False
        self.is_paused = False
        self.restart_at = 0.0
        self.exits = []
        self.crashes = []

    def command(self):
        raise NotImplementedError

    def environment(self):
        return {}

    def output(self, log):
        return log

    def start(self):
        self.is_wanted = True
        with open(self.log_path, "ab") as log:
            log.write(f"--- started {now()}\n".encode())
            log.flush()
            self.process = subprocess.Popen(
                [*(self.site.prefix if self.site else []), *self.command()], stdin=subprocess.DEVNULL, stdout=self.output(log), stderr=log,
                env={**os.environ, **self.environment()}, preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
        self.started()

    def started(self):
        pass

    def interrupted(self):
        """It does not do its work from now on."""

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        self.is_wanted = False
        self.interrupted()
        if self.is_running:
            self.process.kill()
            self.process.wait()
        self.is_paused = False

    def pause(self):
        if self.is_running:
            self.interrupted()
            self.process.send_signal(signal.SIGSTOP)
            self.is_paused = True

    def resume(self):
        if self.is_running and self.is_paused:
            self.process.send_signal(signal.SIGCONT)
            self.started()
        self.is_paused = False

    def tend(self):
        """Starts it again when it has ended by itself, and remembers how."""
        if not self.is_wanted or self.is_running:
            return
        if self.process is not None:
            code = self.process.returncode
            self.process = None
            self.interrupted()
            self.exits.append(code)
            if code < 0 and -code in CRASHES:
                self.crashes.append(f"{self.name} ended by {signal.Signals(-code).name}:\n{self.last_lines()}")
            self.restart_at = time.monotonic() + self.RESTART_SECONDS
        if time.monotonic() >= self.restart_at:
            self.start()

    def terminate(self):
        self.is_wanted = False
        self.interrupted()
        if self.is_running:
            self.resume()
            self.process.terminate()

    def last_lines(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return "\n".join(file.read().splitlines()[-LOG_LINES_TOLD:])


class Broker(Service):
    """Mosquitto, which may keep its state over a restart or not."""

    def __init__(self, directory, logs, port, addresses):
        super().__init__("broker", None, logs)
        self.directory, self.port = directory, port
        os.makedirs(directory)
        self.config = os.path.join(directory, "mosquitto.conf")
        listeners = "".join(f"listener {port} {address}\n" for address in sorted(set(addresses)))
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"""\
{listeners}allow_anonymous true
user root
persistence true
persistence_location {directory}/
autosave_interval 1
autosave_on_changes true
max_queued_messages 2000
set_tcp_nodelay true
""")

    def command(self):
        return ["mosquitto", "-c", self.config]

    def forget(self):
        for name in os.listdir(self.directory):
            if name.startswith("mosquitto.db"):
                os.remove(os.path.join(self.directory, name))


class Collector(Service):
    def __init__(self, name, program, site, logs, broker_port):
        super().__init__(name, site, logs)
        self.program, self.broker_port = program, broker_port

    def command(self):
        return [self.program, "serve"]

    def environment(self):
        return {
            "FARWATCH_BROKER_HOST": self.site.broker_address, "FARWATCH_BROKER_PORT": str(self.broker_port),
            "FARWATCH_DATA_DIRECTORY": self.site.path("data"), "FARWATCH_HTTP_HOST": LOOPBACK, "FARWATCH_HTTP_PORT": "0",
        }


class FleetService(Service):
    """Simulated devices in one process."""

    def __init__(self, name, program, site, logs, broker_port, truth, options):
        super().__init__(name, site, logs)
        self.program, self.broker_port, self.truth, self.options = program, broker_port, truth, options
        self.clock_file = os.path.join(logs, name + ".clock")
        self.result_path = os.path.join(logs, name + ".json")
        self.set_clock(0)
        self.backlog = []

    def command(self):
        backlog, self.backlog = self.backlog, []
        return [
            self.program, "--broker", self.site.broker_address, "--port", str(self.broker_port), "--directory", self.site.path("buffers"),
            "--prefix", self.name, "--truth", self.truth, "--clock-offset-file", self.clock_file, "--json", *self.options, *backlog,
        ]

    def output(self, log):
        return open(self.result_path, "wb")

    def set_clock(self, milliseconds):
        temporary = self.clock_file + ".new"
        with open(temporary, "w", encoding="ascii") as file:
            file.write(f"{milliseconds}\n")
        os.replace(temporary, self.clock_file)

    def buffers(self):
        folder = self.site.path("buffers")
        if not os.path.isdir(folder):
            return []
        return sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".sqlite"))


class AgentService(Service):
    """A real agent, and when it was certainly running."""

    INTERVAL = 1_000

    def __init__(self, name, program, site, logs, broker_port):
        super().__init__(name, site, logs)
        self.program = program
        self.config = os.path.join(logs, name + ".yaml")
        self.windows = []
        self.since = None
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"""\
device: {{id: {name}}}
broker: {{host: {site.broker_address}, port: {broker_port}}}
sampling: {{interval: {self.INTERVAL}ms}}
buffer: {{path: {site.path(name + ".sqlite")}, seal_age: 5s}}
status: {{socket: {os.path.join(logs, name + ".sock")}}}
""")

    def command(self):
        return [self.program, "run", "--config", self.config]

    def started(self):
        self.since = now() + int(STARTING_SECONDS * 1000)

    def interrupted(self):
        if self.since is not None and now() > self.since:
            self.windows.append([self.since, now()])
        self.since = None
