"""Programs of Debian that sample a machine too: fetched, unpacked into the scratch directory, started there once a second, and asked how much they know."""

import json
import os
import random
import socket
import struct
import subprocess
import urllib.request

from figures import NotMeasured
from stage import HOST, free_port, wait_for


class Peer:
    """One of them. `ask` answers how many series it has sampled; asking is what makes those sample that are asked."""

    package = ""
    title = ""
    is_asked = False

    def __init__(self, stage):
        self.stage = stage
        self.folder = stage.path(self.package)
        self.deb = self.fetched()
        subprocess.run(["dpkg", "-x", self.deb, self.folder], check=True)
        self.port = free_port()
        self.process = None

    def fetched(self):
        done = subprocess.run(["apt-get", "download", "-qq", self.package], cwd=self.stage.directory, capture_output=True, text=True, timeout=300, check=False)
        found = [name for name in os.listdir(self.stage.directory) if name.startswith(self.package + "_")]
        if not found:
            raise NotMeasured(f"Debian's {self.package} could not be downloaded: {done.stderr.strip()}")
        return self.stage.path(found[0])

    def command(self):
        raise NotImplementedError

    def ask(self):
        raise NotImplementedError

    def start(self):
        self.process = self.stage.start(self.package, self.command())
        return self.process

    def series(self):
        """0 while it does not answer."""
        try:
            return self.ask()
        except (OSError, ValueError, struct.error):
            return 0

    def wait(self, seconds=60):
        return wait_for(f"{self.package} has sampled; it says: {self.stage.last_lines(self.package)}", seconds, self.series)


class NodeExporter(Peer):
    package, title, is_asked = "prometheus-node-exporter", "node_exporter with the same subjects, scraped each second", True
    collectors = ["cpu", "meminfo", "loadavg", "netdev", "diskstats", "filesystem", "thermal_zone", "stat"]

    def command(self):
        program = os.path.join(self.folder, "usr/bin/prometheus-node-exporter")
        address = f"--web.listen-address={HOST}:{self.port}"
        return [program, "--collector.disable-defaults", "--log.level=error", address] + [f"--collector.{name}" for name in self.collectors]

    def ask(self):
        with urllib.request.urlopen(f"http://{HOST}:{self.port}/metrics", timeout=5) as answer:
            return sum(1 for line in answer.read().splitlines() if line and not line.startswith(b"#"))


class Collectd(Peer):
    package, title = "collectd-core", "collectd with the same subjects, each second, sending them by UDP"
    plugins = ["cpu", "memory", "load", "interface", "disk", "df", "uptime", "thermal", "network", "unixsock"]

    def command(self):
        # A sink, so that it delivers as the agent does.
        self.sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sink.bind((HOST, 0))
        self.socket = self.stage.path("collectd.sock")
        loaded = "\n".join(f"LoadPlugin {name}" for name in self.plugins)
        file = self.stage.write("collectd.conf", f"""\
BaseDir "{self.stage.directory}"
PIDFile "{self.stage.path('collectd.pid')}"
PluginDir "{self.folder}/usr/lib/collectd"
TypesDB "{self.folder}/usr/share/collectd/types.db"
Hostname "edge-1"
FQDNLookup false
Interval 1
{loaded}
<Plugin network>
  Server "{HOST}" "{self.sink.getsockname()[1]}"
</Plugin>
<Plugin unixsock>
  SocketFile "{self.socket}"
</Plugin>
""")
        return [os.path.join(self.folder, "usr/sbin/collectd"), "-f", "-C", file]

    def ask(self):
        with socket.socket(socket.AF_UNIX) as asked:
            asked.settimeout(5)
            asked.connect(self.socket)
            asked.sendall(b"LISTVAL\n")
            lines = asked.makefile("rb")
            count = int(lines.readline().split()[0])
            names = [lines.readline().split()[1].decode() for _ in range(count)]
            total = 0
            for name in names:
                asked.sendall(f'GETVAL "{name}"\n'.encode())
                values = int(lines.readline().split()[0])
                for _ in range(max(0, values)):
                    lines.readline()
                total += max(0, values)
            return total


class Zabbix(Peer):
    package, title, is_asked = "zabbix-agent2", "zabbix_agent2, asked for 20 items each second", True
    items = [
        "system.cpu.util[,user]", "system.cpu.util[,system]", "system.cpu.util[,iowait]", "system.cpu.load[all,avg1]", "system.cpu.load[all,avg5]",
        "system.cpu.load[all,avg15]", "vm.memory.size[total]", "vm.memory.size[available]", "vm.memory.size[used]", "vm.memory.size[cached]",
        "system.swap.size[,free]", "net.if.in[lo]", "net.if.out[lo]", "net.if.in[lo,packets]", "net.if.out[lo,packets]", "vfs.fs.size[/,used]",
        "vfs.fs.size[/,total]", "vfs.fs.inode[/,pfree]", "system.uptime", "proc.num[]",
    ]

    @staticmethod
    def low_port():
        """It takes none above 32767, from where the kernel chooses."""
        while True:
            with socket.socket() as probe:
                port = random.randrange(20_000, 32_768)
                if probe.connect_ex((HOST, port)) != 0:
                    return port

    def command(self):
        self.port = self.low_port()
        file = self.stage.write("zabbix.conf", f"""\
LogType=console
ListenIP={HOST}
ListenPort={self.port}
Server={HOST}
Hostname=edge-1
ControlSocket={self.stage.path('zabbix.sock')}
PluginSocket={self.stage.path('zabbix-plugin.sock')}
""")
        return [os.path.join(self.folder, "usr/sbin/zabbix_agent2"), "-f", "-c", file]

    def ask(self):
        return sum(1 for item in self.items if self.value(item))

    def value(self, item):
        """Zabbix's passive checks: a header of 13 bytes, the key, and the value the same way back."""
        with socket.create_connection((HOST, self.port), timeout=5) as asked:
            asked.sendall(b"ZBXD\x01" + struct.pack("<II", len(item), 0) + item.encode())
            answer = asked.makefile("rb").read()
        length, _ = struct.unpack("<II", answer[5:13])
        text = answer[13 : 13 + length]
        return b"" if text.startswith(b"ZBX_NOTSUPPORTED") else text


class Netdata(Peer):
    package, title = "netdata-core", "netdata as Debian sets it up"

    def command(self):
        for name in ("cache", "lib", "log"):
            os.makedirs(self.stage.path("netdata-" + name), exist_ok=True)
        file = self.stage.write("netdata.conf", f"""\
[directories]
  config = {self.folder}/etc/netdata
  stock config = {self.folder}/usr/lib/netdata/conf.d
  plugins = "{self.folder}/usr/lib/netdata/plugins.d"
  web = {self.folder}/usr/share/netdata/web
  cache = {self.stage.path('netdata-cache')}
  lib = {self.stage.path('netdata-lib')}
  log = {self.stage.path('netdata-log')}
  home = {self.stage.path('netdata-lib')}
[web]
  bind to = {HOST}
  default port = {self.port}
[ml]
  enabled = no
""")
        return [os.path.join(self.folder, "usr/sbin/netdata"), "-D", "-u", "root", "-c", file]

    def ask(self):
        with urllib.request.urlopen(f"http://{HOST}:{self.port}/api/v1/allmetrics?format=json", timeout=5) as answer:
            return sum(len(chart["dimensions"]) for chart in json.load(answer).values() if chart.get("last_updated"))


ALL = (NodeExporter, Collectd, Zabbix, Netdata)
