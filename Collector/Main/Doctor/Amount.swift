/// Numbers for people.
enum Amount {
    private static let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]

    /// `1.5 GiB`.
    static func bytes(_ bytes: Double) -> String {
        var (value, unit) = (bytes, 0)
        while value >= 1024, unit + 1 < units.count { (value, unit) = (value / 1024, unit + 1) }
        return unit == 0 ? "\(Int(value)) B" : tenths(value) + " " + units[unit]
    }

    /// `92.8 %`, of a share from 0 to 1.
    static func percent(_ share: Double) -> String { tenths(share * 100) + " %" }

    /// `1.2 s`.
    static func seconds(_ seconds: Double) -> String { tenths(seconds) + " s" }

    private static func tenths(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "unknown" }
        let tenths = Int64((value * 10).rounded())
        return "\(tenths / 10).\(abs(tenths % 10))"
    }
}
