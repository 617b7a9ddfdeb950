import AgentSampling
import Telemetry
import Testing

@Suite struct SamplerTests {
    @Test func `a server gives every series in its fixed order`() {
        #expect(
            SampledMachine("x86-server").sampler().sample().texts == [
                "memory_usage", "load_average_1m", "load_average_5m", "load_average_15m", "uptime_seconds",
                #"disk_usage{mount="/"}"#, #"disk_size_bytes{mount="/"}"#,
                #"disk_usage{mount="/boot/efi"}"#, #"disk_size_bytes{mount="/boot/efi"}"#,
                #"disk_usage{mount="/srv/back up\\old"}"#, #"disk_size_bytes{mount="/srv/back up\\old"}"#,
                #"disk_usage{mount="/media/usb"}"#, #"disk_size_bytes{mount="/media/usb"}"#,
                #"disk_usage{mount="/tank/data"}"#, #"disk_size_bytes{mount="/tank/data"}"#,
                #"disk_read_bytes_total{disk="sda"}"#, #"disk_written_bytes_total{disk="sda"}"#,
                #"disk_read_bytes_total{disk="nvme0n1"}"#, #"disk_written_bytes_total{disk="nvme0n1"}"#,
                #"network_receive_bytes_total{interface="eno1"}"#, #"network_transmit_bytes_total{interface="eno1"}"#,
                #"network_receive_bytes_total{interface="wg0"}"#, #"network_transmit_bytes_total{interface="wg0"}"#,
                #"temperature_celsius{sensor="acpitz"}"#, #"temperature_celsius{sensor="acpitz #2"}"#,
                #"temperature_celsius{sensor="x86_pkg_temp"}"#, #"temperature_celsius{sensor="iwlwifi_1"}"#,
                #"temperature_celsius{sensor="coretemp/Package id 0"}"#, #"temperature_celsius{sensor="coretemp/Core 0"}"#,
                #"temperature_celsius{sensor="coretemp/Core 8"}"#, #"temperature_celsius{sensor="coretemp/Package id 1"}"#,
                #"temperature_celsius{sensor="coretemp/Core 0 #2"}"#, #"temperature_celsius{sensor="coretemp/Core 8 #2"}"#,
                #"temperature_celsius{sensor="nvme/Composite"}"#, #"temperature_celsius{sensor="w83627/temp1"}"#,
            ])
    }

    @Test func `a server's values are those of its files, its uptime that of the boot clock in hundredths`() {
        let machine = SampledMachine("x86-server")
        machine.pass(253_411_079)
        let readings = machine.sampler().sample()
        #expect(readings.value("memory_usage") == 0.25)
        #expect(readings.value("load_average_1m") == 0.52)
        #expect(readings.value("load_average_15m") == 12.3)
        #expect(readings.value("uptime_seconds") == 253411.07)
        #expect(readings.value(#"disk_usage{mount="/"}"#) == 0.25)
        #expect(readings.value(#"disk_read_bytes_total{disk="sda"}"#) == 4_511_912_960)
        #expect(readings.value(#"disk_written_bytes_total{disk="nvme0n1"}"#) == 30_839_505_920)
        #expect(readings.value(#"network_receive_bytes_total{interface="eno1"}"#) == 9_920_113_344)
        #expect(readings.value(#"network_transmit_bytes_total{interface="eno1"}"#) == 3_301_122_940)
        #expect(readings.value(#"temperature_celsius{sensor="nvme/Composite"}"#) == 38.85)
        #expect(readings.value(#"temperature_celsius{sensor="w83627/temp1"}"#) == -2.5)
    }

    @Test func `a board's chip that is its thermal zone and a sensor without sense are left out`() {
        let readings = SampledMachine("raspberry-pi").sampler().sample()
        #expect(readings.texts.filter { $0.hasPrefix("temperature") } == [#"temperature_celsius{sensor="cpu-thermal"}"#])
        #expect(readings.value(#"temperature_celsius{sensor="cpu-thermal"}"#) == 48.312)
        #expect(
            readings.texts.filter { $0.hasPrefix("disk_read") } == [#"disk_read_bytes_total{disk="mmcblk0"}"#, #"disk_read_bytes_total{disk="sda"}"#])
        #expect(readings.value(#"network_receive_bytes_total{interface="wlan0"}"#) == 4_402_211)
        #expect(readings.value(#"disk_size_bytes{mount="/media/pi/MY STICK"}"#) == 100)
    }

    @Test func `what a container on an old kernel lacks is absent and nothing else`() {
        let readings = SampledMachine("container").sampler().sample()
        #expect(readings.value("memory_usage") == 0.5, "estimated without MemAvailable")
        #expect(
            readings.texts == [
                "memory_usage", "load_average_1m", "load_average_5m", "load_average_15m", "uptime_seconds",
                #"disk_usage{mount="/"}"#, #"disk_size_bytes{mount="/"}"#, #"disk_usage{mount="/data"}"#, #"disk_size_bytes{mount="/data"}"#,
                #"network_receive_bytes_total{interface="eth0"}"#, #"network_transmit_bytes_total{interface="eth0"}"#,
            ])
    }

    @Test func `a machine without any source gives its uptime and nothing else`() {
        #expect(SampledMachine("nowhere").sampler().sample().texts == ["uptime_seconds"])
    }

    @Test func `processor time is the share since the sample before and absent when counters step back`() throws {
        let machine = try ScratchMachine()
        let sampler = machine.sampler()
        try machine.write("proc/stat", "cpu  100 0 100 800 0 0 0 0 50 0\n")
        #expect(sampler.sample().value("cpu_usage") == nil)
        try machine.write("proc/stat", "cpu  110 10 110 850 10 5 5 0 90 0\n")
        #expect(sampler.sample().value("cpu_usage") == 0.4)
        #expect(sampler.sample().value("cpu_usage") == nil, "no time has passed")
        try machine.write("proc/stat", "cpu  100 0 100 900 0 0 0 0 0 0\n")
        #expect(sampler.sample().value("cpu_usage") == nil)
        try machine.write("proc/stat", "cpu  101 0 100 901 1 0 0 0 0 0\n")
        #expect(sampler.sample().value("cpu_usage") == 0.3333)
        try machine.write("proc/stat", "cpu  150 0 100 850 1 0 0 0 0 0\n")
        #expect(sampler.sample().value("cpu_usage") == nil)
    }

    @Test func `more available memory than there is counts as all of it`() throws {
        let machine = try ScratchMachine()
        try machine.write("proc/meminfo", "MemTotal: 1000 kB\nMemFree: 10 kB\nMemAvailable: 1001 kB\n")
        #expect(machine.sampler().sample().value("memory_usage") == 0)
        try machine.write("proc/meminfo", "MemTotal: 1000 kB\nMemFree: 900 kB\nBuffers: 900 kB\nCached: 900 kB\n")
        #expect(machine.sampler().sample().value("memory_usage") == 0)
    }

    @Test func `a file system's fullness is asked for once in ten seconds and carried in between`() {
        let machine = SampledMachine("raspberry-pi")
        let sampler = machine.sampler()
        _ = sampler.sample()
        machine.use(50)
        for _ in 0..<9 {
            machine.pass(1000)
            #expect(sampler.sample().value(#"disk_usage{mount="/boot"}"#) == 0.25)
        }
        #expect(machine.measurements == 3)
        machine.pass(1000)
        #expect(sampler.sample().value(#"disk_usage{mount="/boot"}"#) == 0.5)
        #expect(machine.measurements == 6)
    }

    @Test func `a sensor and a mount that appear later are found within the rediscovery`() throws {
        let machine = try ScratchMachine()
        let sampler = machine.sampler()
        #expect(sampler.sample().texts == ["uptime_seconds"])
        try machine.write("sys/class/thermal/thermal_zone0/type", "soc\n")
        try machine.write("sys/class/thermal/thermal_zone0/temp", "40000\n")
        try machine.write("proc/self/mounts", "/dev/sda1 /data ext4 rw 0 0\n")
        for _ in 1..<Sampler.rediscoveryTicks { _ = sampler.sample() }
        #expect(
            sampler.sample().texts == [
                "uptime_seconds", #"disk_usage{mount="/data"}"#, #"disk_size_bytes{mount="/data"}"#, #"temperature_celsius{sensor="soc"}"#,
            ])
    }

    @Test func `a file system that a later mount covers is not asked`() throws {
        let machine = try ScratchMachine()
        try machine.write(
            "proc/self/mounts",
            """
            /dev/sda1 /a ext4 rw 0 0
            /dev/sda2 /b/below ext4 rw 0 0
            /dev/sda3 /bc ext4 rw 0 0
            /dev/sda4 /d ext4 rw 0 0
            host:/a /a nfs rw 0 0
            host:/b /b nfs4 rw 0 0
            tmpfs /d tmpfs rw 0 0

            """)
        #expect(machine.sampler().sample().texts == ["uptime_seconds", #"disk_usage{mount="/bc"}"#, #"disk_size_bytes{mount="/bc"}"#])
    }

    @Test func `more disks, interfaces, mounts and sensors than the bounds are cut off`() throws {
        let machine = try ScratchMachine()
        let letters = "abcdefgh".flatMap { first in "abcdefgh".map { second in String([first, second]) } }
        try machine.write("proc/diskstats", letters.map { "8 0 sd\($0) 1 1 1 1 1 1 1 1 0 1 1\n" }.joined())
        try machine.write("proc/net/dev", (0..<1000).map { "eth\($0): 1 1 0 0 0 0 0 0 2 1 0 0 0 0 0 0\n" }.joined())
        try machine.write("proc/self/mounts", (0..<600).map { "/dev/s\($0) /m\($0) ext4 rw 0 0\n" }.joined())
        for zone in 0..<80 { try machine.write("sys/class/thermal/thermal_zone\(zone)/temp", "1000\n") }
        let texts = machine.sampler().sample().texts
        for metric in ["disk_read", "network_transmit", "disk_usage", "temperature"] {
            #expect(texts.count { $0.hasPrefix(metric) } == 32)
        }
    }

    @Test func `this machine itself can be sampled`() {
        let sampler = Sampler()
        let readings = sampler.sample()
        #expect(readings.first?.series == Series("memory_usage"))
        #expect(readings.contains { $0.series.metric == "uptime_seconds" })
        #expect(readings.allSatisfy { $0.value.isFinite })
    }
}
