/// When the next tick is due. Ticks stand on a grid that does not drift, and carry the grid's time, so that timestamps compress to nothing.
package struct TickSchedule {
    /// A tick that was taken later than this after its instant carries the time at which it was taken. Milliseconds.
    static let latenessMax: Int64 = 100

    private let interval: Int64
    private var nextBoot: Int64
    private var lastAt: Int64?

    package init(interval: Int64, boot: Int64) {
        self.interval = interval
        nextBoot = boot
    }

    /// How long to wait from now on, in milliseconds.
    package func delay(boot: Int64) -> Int64 { max(0, nextBoot - boot) }

    /// The timestamp of the tick that is taken now, and the next one's instant. Instants that have passed meanwhile are skipped.
    package mutating func tick(boot: Int64, wall: Int64) -> Int64 {
        let lateness = boot - nextBoot
        var at = wall
        if lateness >= 0 && lateness <= Self.latenessMax {
            at = wall - lateness
            // The two clocks' milliseconds do not turn over together; a step of one against the grid is no change of the time.
            if let lastAt, abs(at - lastAt - interval) <= 2 { at = lastAt + interval }
        }
        lastAt = at
        nextBoot += interval
        if nextBoot <= boot { nextBoot += (boot - nextBoot) / interval * interval + interval }
        return at
    }
}
