/// Durations and sizes as people write them.
package enum SettingsUnits {
    /// Milliseconds of `10s`, `500ms`, `1.5m`, `2h`, `7d`; a number alone is seconds.
    package static func milliseconds(_ text: String) -> Int64? {
        scaled(text, [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("", 1000)])
    }

    /// Bytes of `64MiB`, `64MB`, `512KiB`, `1GiB`; a number alone is bytes.
    package static func bytes(_ text: String) -> Int64? {
        scaled(
            text,
            [
                ("KiB", 1024), ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("TiB", 1_099_511_627_776), ("kB", 1000), ("KB", 1000), ("MB", 1_000_000),
                ("GB", 1_000_000_000),
                ("TB", 1_000_000_000_000), ("B", 1), ("", 1),
            ])
    }

    private static func scaled(_ text: String, _ units: [(suffix: String, factor: Double)]) -> Int64? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let suffix = String(text[digits.endIndex...].drop { $0 == " " })
        guard let number = Double(String(digits)) else { return nil }
        for unit in units where unit.suffix == suffix {
            let value = (number * unit.factor).rounded()
            return value <= 9e15 ? Int64(value) : nil
        }
        return nil
    }

    /// `64MiB`, `1TiB`: the shortest exact text of a size.
    static func text(bytes: Int64) -> String {
        exact(bytes, [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]) ?? String(bytes)
    }

    /// `90s`, `10m`, `2h`: the shortest exact text of a duration.
    static func text(milliseconds: Int64) -> String {
        exact(milliseconds, [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)]) ?? String(milliseconds) + "ms"
    }

    /// In the first unit that leaves nothing over; nil where each does. Not inlined: unrolled with its units it comes out otherwise from one build to the
    /// next (Swift 6.3), and the same sources are to give the same bytes.
    @inline(never)
    private static func exact(_ value: Int64, _ units: [(suffix: String, factor: Int64)]) -> String? {
        guard value > 0, let unit = units.first(where: { value % $0.factor == 0 }) else { return nil }
        return String(value / unit.factor) + unit.suffix
    }
}
