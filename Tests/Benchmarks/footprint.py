"""The agent's package and what it costs, connected over TLS with 50 certificates watched, beside Debian's other programs that sample, over the same minutes."""

import glob
import json
import os
import subprocess
import time

import peers
from figures import Figure, NotMeasured
from stage import HOST, Stage, cpu_seconds, free_port, memory_bytes, wait_for

DEVICE = "edge-0001"
CERTIFICATES = 50
SECONDS_DEFAULT = 300
SETTLING_SECONDS = 10
COLD_STARTS = 9
ASKING_PAUSE_SECONDS = 0.0002
DEB_BYTES_MAX = 500_000
COLD_START_SECONDS_MAX = 0.010


def measure(programs, seconds):
    seconds = seconds or SECONDS_DEFAULT
    with Stage(programs) as stage:
        others = [kind(stage) for kind in peers.ALL]
        deb = built_package(stage)
        yield from package_figures(stage, deb, others)
        make_certificates(stage)
        tls_port = start_broker(stage)
        stage.start_collector()
        # Before anything else runs here; each of them alone.
        yield from cold_start_figures(stage, tls_port, others)
        agent = start(stage, "watched", tls_port)
        wait_for("the agent is connected", 60, lambda: stage.agent_status().get("connected"))
        for other in others:
            other.start()
            other.wait()
        yield from running_figures(stage, agent, others, seconds)


# The package


def built_package(stage):
    tree = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
    command = ["Packaging/build-deb", "--only", "farwatch-agent", "--binary", stage.programs.agent, "--output", stage.path("packages")]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    found = glob.glob(stage.path("packages/farwatch-agent_*.deb"))
    if not found:
        raise NotMeasured(f"the package was not built: {done.stderr.strip()}")
    subprocess.run(["dpkg", "-x", found[0], stage.path("farwatch-agent")], check=True)
    return found[0]


def installed_bytes(folder):
    return sum(os.lstat(os.path.join(root, name)).st_size for root, _, names in os.walk(folder) for name in names)


def package_figures(stage, deb, others):
    note = "without what they depend on"
    ours = os.path.getsize(deb), installed_bytes(stage.path("farwatch-agent"))
    for other in others:
        yield Figure("package.deb_bytes", ours[0], "bytes", other.package, os.path.getsize(other.deb), DEB_BYTES_MAX, note)
    for other in others:
        yield Figure("package.installed_bytes", ours[1], "bytes", other.package, installed_bytes(other.folder), note=note)


# The agent, over TLS


def make_certificates(stage):
    for number in range(CERTIFICATES):
        name = "broker" if number == 0 else f"{number}"
        more = ["-addext", f"subjectAltName=IP:{HOST}"] if number == 0 else []
        made = subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "90", "-subj",
             f"/CN=edge-{number}.example", "-keyout", stage.path(name + ".key"), "-out", stage.path(name + ".pem"), *more],
            capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise NotMeasured(f"openssl made no certificate: {made.stderr.strip()}")


def start_broker(stage):
    """With a listener for the collector and one with TLS for the agent, whose port this answers."""
    port = free_port()
    stage.start_broker(f"listener {port} {HOST}\ncertfile {stage.path('broker.pem')}\nkeyfile {stage.path('broker.key')}")
    return port


def start(stage, name, port):
    """An agent with an empty buffer."""
    certificates = ", ".join(stage.path(f"{number}.pem") for number in range(1, CERTIFICATES)) + ", " + stage.path("broker.pem")
    file = stage.write("agent.yaml", f"""\
device: {{id: {DEVICE}}}
broker: {{host: {HOST}, port: {port}, ca_file: {stage.path('broker.pem')}}}
sampling: {{interval: 1s}}
status: {{socket: {stage.path('agent.sock')}}}
buffer: {{path: {stage.path(name + '.sqlite')}}}
certificates: {{paths: [{certificates}]}}
""")
    return stage.start("agent", [stage.programs.agent, "run", "--config", file])


def series_of_agent(stage):
    said = subprocess.run(
        [stage.programs.agent, "sample", "--config", stage.path("agent.yaml"), "--json"], capture_output=True, text=True, timeout=30, check=True)
    return len(json.loads(said.stdout)["values"])


# From nothing to the first sample


def cold_start_figures(stage, port, others):
    note = f"from execve to the first sample that it can tell of, the median of {COLD_STARTS}; files were read before; the agent's was in its "
    note += "buffer's file, where it was found after the agent was killed at that instant"
    ours = median([agent_start(stage, f"cold-{number}", port) for number in range(COLD_STARTS)])
    for other in others:
        theirs = median([cold_start(stage, other.start, other.series) for _ in range(COLD_STARTS)])
        yield Figure("footprint.cold_start_seconds", ours, "s", other.title, theirs, COLD_START_SECONDS_MAX, note)
    again = [agent_start(stage, f"cold-{number}", port) for number in range(COLD_STARTS)]
    yield Figure("footprint.restart_seconds", median(again), "s", limit=COLD_START_SECONDS_MAX, note="the same on the buffers that were left")
    forced = [cold_start(stage, lambda: start(stage, f"forced-{number}", port), lambda: has_sealed(stage)) for number in range(COLD_STARTS)]
    note = "from execve to the first sample that no power cut can take: connected over TLS, sealed and forced to disk, a new buffer"
    yield Figure("footprint.first_sealed_seconds", median(forced), "s", note=note)


def agent_start(stage, name, port):
    """Until the agent tells of a sample; it is killed there and then, and the sample must be in the file."""
    lasted = cold_start(stage, lambda: start(stage, name, port), lambda: stage.ticks() >= 1, kill=True)
    file = stage.path(name + ".sqlite")
    said = subprocess.run([stage.programs.agent, "buffer", "status", "--json", "--file", file], capture_output=True, text=True, timeout=30, check=True)
    status = json.loads(said.stdout)
    if status["samples"] + status["unsealed_ticks"] < 1:
        raise NotMeasured(f"the agent told of a sample that is not in its buffer: {status}")
    return lasted


def has_sealed(stage):
    status = stage.told()
    return status.get("ticks", 0) >= 1 and status["buffer"]["unsealed_ticks"] == 0


def cold_start(stage, begin, has_sampled, kill=False):
    process = begin()
    while not has_sampled():
        if time.monotonic() - process.executed_at > 60:
            raise NotMeasured(f"{process.name} has sampled nothing: {stage.last_lines(process.name)}")
        # Asking without a pause would take a processor from who is asked.
        time.sleep(ASKING_PAUSE_SECONDS)
    lasted = time.monotonic() - process.executed_at
    if kill:
        process.kill()
    stage.stop(process)
    return lasted


def median(values):
    return sorted(values)[len(values) // 2]


# What it costs to run


def running_figures(stage, agent, others, seconds):
    time.sleep(SETTLING_SECONDS)
    measured = [agent] + [other.process for other in others]
    before, began = [spent(process) for process in measured], time.monotonic()
    for tick in range(1, int(seconds) + 1):
        for other in others:
            if other.is_asked and not other.series():
                raise NotMeasured(f"{other.package} stopped answering")
        time.sleep(max(0, began + tick - time.monotonic()))
    lasted = time.monotonic() - began
    stage.expect_alive()
    cpu = [(spent(process) - earlier) / lasted for process, earlier in zip(measured, before)]
    status = stage.agent_status()
    if not status.get("connected") or status["ticks"] < seconds or status["certificates"] != CERTIFICATES or status["batches_acknowledged"] < 1:
        raise NotMeasured(f"the agent did not do its work: {status}")
    series = [series_of_agent(stage)] + [other.series() for other in others]
    note = f"over {seconds:g} s, each second {series[0]} series, over TLS, {CERTIFICATES} certificates"
    for kind, name in (("Anonymous", "anonymous"), ("Pss", "pss")):
        memory = [total_memory(process, kind) for process in measured]
        for other, theirs in zip(others, memory[1:]):
            yield Figure(f"footprint.{name}_bytes", memory[0], "bytes", other.title, theirs, note=note)
    for other, theirs in zip(others, cpu[1:]):
        yield Figure("footprint.cpu_fraction", cpu[0], "of a core", other.title, theirs, note=note)
    costs = [fraction / count * 1e6 for fraction, count in zip(cpu, series)]
    for other, theirs, count in zip(others, costs[1:], series[1:]):
        yield Figure("footprint.cpu_microseconds_per_sample", costs[0], "µs", f"{other.title}: {count} series", theirs, note=note)


def family(process):
    """The process and all that descend from it: samplers start plug-ins."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                    parents[int(entry)] = int(file.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                pass
    found = [process.pid]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return [Member(pid) for pid in found]


class Member:
    def __init__(self, pid):
        self.pid = pid

    def ended_children_seconds(self):
        with open(f"/proc/{self.pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def spent(process):
    return sum(cpu_seconds(member) + member.ended_children_seconds() for member in family(process))


def total_memory(process, kind):
    return sum(memory_bytes(member, kind) for member in family(process))
