"""What the agent costs the device that it runs on."""

import os
import subprocess
import time
import urllib.request

from figures import Figure, NotMeasured
from stage import HOST, Stage, cpu_seconds, free_port, memory_bytes, wait_for

DEVICE = "edge-0001"
CERTIFICATES = 3
SECONDS_DEFAULT = 60
# After this long everything that happens once at the start has happened.
SETTLING_SECONDS = 5
BINARY_BYTES_MAX = 1024 * 1024
ANONYMOUS_BYTES_MAX = 2 * 1024 * 1024
# What the agent samples too. `stat` has the uptime.
EXPORTER_COLLECTORS = ["cpu", "meminfo", "loadavg", "netdev", "diskstats", "filesystem", "thermal_zone", "stat"]
EXPORTER_PACKAGE = "prometheus-node-exporter"
PEER = "node_exporter with the same subjects, scraped each second"


def measure(programs, seconds):
    seconds = seconds or SECONDS_DEFAULT
    yield Figure("agent.binary_bytes", os.path.getsize(programs.agent), "bytes", limit=BINARY_BYTES_MAX)
    with Stage(programs) as stage:
        stage.start_broker()
        stage.start_collector()
        make_certificates(stage)
        certificates = ", ".join(stage.path(f"{number}.pem") for number in range(CERTIFICATES))
        agent = stage.start_agent(DEVICE, f"buffer: {{path: {stage.path('buffer.sqlite')}}}\ncertificates: {{paths: [{certificates}]}}")
        wait_for("the agent is connected", 20, lambda: stage.agent_status().get("connected"))
        exporter, missing = start_exporter(stage)
        ours, theirs = watch(stage, agent, exporter, seconds)
        check(stage, seconds)
    note = "; ".join(filter(None, [f"over {seconds:g} s of 1 s ticks, connected, {CERTIFICATES} certificates", missing]))
    yield Figure("agent.anonymous_bytes", ours["Anonymous"], "bytes", PEER, theirs.get("Anonymous"), ANONYMOUS_BYTES_MAX, note)
    yield Figure("agent.pss_bytes", ours["Pss"], "bytes", PEER, theirs.get("Pss"), note=note)
    yield Figure("agent.cpu_fraction", ours["cpu"], "of a core", PEER, theirs.get("cpu"), note=note)


def make_certificates(stage):
    for number in range(CERTIFICATES):
        made = subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "90", "-subj",
             f"/CN=edge-{number}.example", "-keyout", stage.path(f"{number}.key"), "-out", stage.path(f"{number}.pem")],
            capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise NotMeasured(f"openssl made no certificate: {made.stderr.strip()}")


def start_exporter(stage):
    """The running peer and its address, or None and why there is none."""
    program = find_exporter(stage)
    if not program:
        return None, f"{EXPORTER_PACKAGE} is not installed and could not be downloaded; no peer"
    address = f"{HOST}:{free_port()}"
    command = [program, "--collector.disable-defaults", "--log.level=error", f"--web.listen-address={address}"]
    process = stage.start("exporter", command + [f"--collector.{name}" for name in EXPORTER_COLLECTORS])
    process.url = f"http://{address}/metrics"
    try:
        wait_for("the exporter answers", 10, lambda: process.poll() is not None or is_scraped(process.url))
    except NotMeasured:
        pass
    if process.poll() is not None or not is_scraped(process.url):
        stage.processes.remove(process)
        return None, f"{EXPORTER_PACKAGE} does not run here; no peer: {stage.last_lines('exporter')}"
    return process, ""


def find_exporter(stage):
    """An installed one, or Debian's package unpacked into the scratch directory."""
    for folder in os.environ.get("PATH", "").split(":"):
        if os.access(os.path.join(folder, EXPORTER_PACKAGE), os.X_OK):
            return os.path.join(folder, EXPORTER_PACKAGE)
    commands = f"apt-get download -qq {EXPORTER_PACKAGE} && dpkg -x {EXPORTER_PACKAGE}_*.deb exporter"
    with open(stage.path("download.log"), "wb") as log:
        subprocess.run(["sh", "-c", commands], cwd=stage.directory, stdout=log, stderr=log, timeout=120, check=False)
    program = stage.path("exporter/usr/bin/" + EXPORTER_PACKAGE)
    return program if os.access(program, os.X_OK) else None


def is_scraped(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return len(answer.read()) > 0
    except OSError:
        return False


def watch(stage, agent, exporter, seconds):
    """Both over the same seconds; the exporter is asked as often as the agent ticks."""
    time.sleep(SETTLING_SECONDS)
    processes = [process for process in (agent, exporter) if process]
    before, began = [cpu_seconds(process) for process in processes], time.monotonic()
    for tick in range(1, int(seconds) + 1):
        if exporter and not is_scraped(exporter.url):
            raise NotMeasured("the exporter stopped answering")
        time.sleep(max(0, began + tick - time.monotonic()))
    lasted = time.monotonic() - began
    stage.expect_alive()
    costs = [
        {"cpu": (cpu_seconds(process) - spent) / lasted, "Anonymous": memory_bytes(process, "Anonymous"), "Pss": memory_bytes(process, "Pss")}
        for process, spent in zip(processes, before)
    ]
    return costs[0], costs[1] if exporter else {}


def check(stage, seconds):
    """The agent did its work meanwhile, or its cost says nothing."""
    status = stage.agent_status()
    if not status.get("connected") or status["ticks"] < seconds or status["certificates"] != CERTIFICATES or status["batches_acknowledged"] < 1:
        raise NotMeasured(f"the agent did not do its work: {status}")
