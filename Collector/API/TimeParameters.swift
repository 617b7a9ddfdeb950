import Hummingbird
import LinuxDriver
import Telemetry
import TimeSeriesStores

/// The range and step of a question for samples, read from its parameters.
struct TimeParameters: Equatable {
    /// Steps of a range; more are a mistake or an attack.
    static let stepsMax: Int64 = 11_000
    /// Points that a step is chosen for when none is given.
    private static let pointsWanted: Int64 = 500
    private static let rangeDefault: Int64 = 3_600_000
    /// Steps to choose from, seconds: they divide minutes, hours and days.
    private static let niceSteps: [Int64] = [
        1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_200, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400, 7 * 86_400,
    ]
    /// The last instant that RFC 3339 can write: 9999-12-31T23:59:59Z.
    private static let timeMax: Int64 = 253_402_300_799_000

    /// UTC, milliseconds since 1970.
    let from: Int64
    let to: Int64
    /// Milliseconds.
    let step: Int64

    init(from: String?, to: String?, step: String?, now: Int64) throws(Problem) {
        let end = try to.map { text throws(Problem) in try Self.time(text, "to", now: now) } ?? now
        self.to = end
        self.from = try from.map { text throws(Problem) in try Self.time(text, "from", now: now) } ?? max(0, end - Self.rangeDefault)
        guard self.from <= end else { throw Problem(.badRequest, "from is later than to") }
        let range = end - self.from
        self.step = try step.map { text throws(Problem) in try Self.duration(text) } ?? Self.step(for: range)
        guard range / self.step <= Self.stepsMax else {
            let advice = "widen step or narrow the range"
            throw Problem(.badRequest, "the range has \(range / self.step) steps, at most \(Self.stepsMax) are allowed; \(advice)")
        }
    }

    private static func step(for range: Int64) -> Int64 {
        let seconds = range / 1_000 / pointsWanted
        return (niceSteps.first { $0 >= seconds } ?? (seconds / 86_400 + 1) * 86_400) * 1_000
    }

    /// RFC 3339, a date (its first instant), seconds since 1970 with a fraction if need be, or how long ago.
    static func time(_ text: String, _ name: String, now: Int64) throws(Problem) -> Int64 {
        if let time = Timestamp.parse(text) ?? Timestamp.parse(text + "T00:00:00Z"), time >= 0 { return time }
        if let seconds = Double(text), seconds >= 0, seconds * 1_000 <= Double(timeMax) { return Int64((seconds * 1_000).rounded()) }
        if text.last.map({ units[$0] != nil }) ?? false, let ago = milliseconds(text), ago <= now { return now - ago }
        let known = "an RFC 3339 timestamp such as 2026-01-31T09:30:00Z, a date, seconds since 1970, or how long ago such as 30m, 1h or 7d"
        throw Problem(.badRequest, "\(name) is none of these: \(known)")
    }

    private static let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]

    private static func milliseconds(_ text: String) -> Int64? {
        let unit = text.last.flatMap { units[$0] }
        let digits = unit == nil ? text[...] : text.dropLast()
        guard (1...9).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int64(digits), number > 0
        else { return nil }
        return number * (unit ?? 1) * 1_000
    }

    /// Whole seconds, or a whole number of `s`, `m`, `h` or `d`.
    static func duration(_ text: String, _ name: String = "step") throws(Problem) -> Int64 {
        guard let milliseconds = milliseconds(text) else {
            throw Problem(.badRequest, "\(name) is not a positive number of seconds (10) or of a unit (30s, 5m, 1h, 1d)")
        }
        return milliseconds
    }
}
