import SimulatedFleet

/// Under which times the ticks of a device may be stored: a clock that steps moves ticks that are not sealed yet.
struct TickTimes {
    /// What the two readings of a tick's clocks may be apart, in milliseconds.
    private static let tolerance: Int64 = 250
    /// A clock before this is not set, and nothing may be stored under such a time: 2025-01-01T00:00:00Z.
    private static let plausibleMin: Int64 = 1_735_689_600_000

    private let ticks: [Truth.Tick]
    /// The tick from which on the clock was so far ahead.
    private let changes: [(tick: Int, offset: Int64)]

    init(_ ticks: [Truth.Tick]) {
        self.ticks = ticks
        var changes: [(Int, Int64)] = []
        for (number, tick) in ticks.enumerated() where changes.last?.1 != tick.clockOffset { changes.append((number, tick.clockOffset)) }
        self.changes = changes
    }

    /// When it was taken, by a right clock.
    func right(_ number: Int) -> Int64 { ticks[number].at - ticks[number].clockOffset }

    /// The times that the device may have believed in, until it was sealed.
    func possible(_ number: Int) -> [Int64] {
        let later = changes.filter { $0.tick > number }.map { right(number) + $0.offset }
        return [ticks[number].at] + later
    }

    func allows(_ stored: Int64, of number: Int) -> Bool {
        possible(number).contains { time in
            time >= Self.plausibleMin && (time - Self.tolerance...time + Self.tolerance + ticks[number].late).contains(stored)
        }
    }
}
