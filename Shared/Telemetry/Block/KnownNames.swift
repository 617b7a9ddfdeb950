/// A metric's name and the names of its labels: a series without its labels' values.
struct SeriesShape: Equatable {
    let metric: String
    let labels: [String]

    init(_ metric: String, _ labels: [String] = []) {
        self.metric = metric
        self.labels = labels
    }
}

/// Shapes and label values that every reader knows by number. The numbers are part of the format: entries are only ever appended, up to
/// `shapesMax` and `valuesMax`, behind which a block numbers its own.
enum KnownNames {
    /// Numbers below these are this list's, those from here on the block's own.
    static let shapesMax = 96
    static let valuesMax = 32
    /// In place of a number: a new shape or value follows.
    static let new = 0
    /// In place of a value's number: this value and those behind it are the ones of the column before.
    static let asBefore = 1
    static let firstShape = 1
    static let firstValue = 2

    private static let gauges = [
        SeriesShape("cpu_usage"), SeriesShape("memory_usage"), SeriesShape("load_average_1m"), SeriesShape("load_average_5m"),
        SeriesShape("load_average_15m"), SeriesShape("uptime_seconds"), SeriesShape("disk_usage", ["mount"]),
        SeriesShape("disk_size_bytes", ["mount"]), SeriesShape("temperature_celsius", ["sensor"]), SeriesShape("network_latency", ["target"]),
        SeriesShape("network_probe_success", ["target"]),
    ]

    private static let counters = [
        SeriesShape("disk_read_bytes_total", ["disk"]), SeriesShape("disk_written_bytes_total", ["disk"]),
        SeriesShape("network_receive_bytes_total", ["interface"]), SeriesShape("network_transmit_bytes_total", ["interface"]),
    ]

    /// From `firstShape` on: gauges, counters, then what thinning makes of gauges.
    static let shapes: [SeriesShape] = gauges + counters + thinned(":min") + thinned(":max") + thinned(":count")

    private static func thinned(_ suffix: String) -> [SeriesShape] { gauges.map { SeriesShape($0.metric + suffix, $0.labels) } }

    /// From `firstValue` on.
    static let values: [String] = [
        "/", "/boot", "/boot/firmware", "/boot/efi", "/home", "/var", "/data", "eth0", "eth1", "wlan0", "wwan0", "end0", "usb0", "sda", "sdb",
        "vda", "mmcblk0", "mmcblk1", "nvme0n1", "cpu-thermal", "x86_pkg_temp", "acpitz",
    ]
}
