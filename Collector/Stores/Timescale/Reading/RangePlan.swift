/// Where the samples of a range are read: in the middle from the coarsest roll-up whose buckets fall into steps, at the edges, where a bucket would
/// reach out of the range, from finer ones, and at last from the samples themselves. A value.
package struct RangePlan: Equatable, Sendable {
    package struct Piece: Equatable, Sendable {
        /// Nil for the samples themselves.
        package let level: RollupLevel?
        /// UTC, milliseconds since 1970; the first is in it, the last as well.
        package let times: ClosedRange<Int64>

        package init(level: RollupLevel?, times: ClosedRange<Int64>) {
            self.level = level
            self.times = times
        }
    }

    /// By time.
    package let pieces: [Piece]

    /// - Parameter levels: those that have what is asked for.
    package init(from: Int64, to: Int64, step: Int64, levels: [RollupLevel] = RollupLevel.allCases) {
        pieces = from <= to ? Self.pieces(from...to, levels: levels.filter { step % $0.milliseconds == 0 }.reversed()) : []
    }

    /// - Parameter levels: coarsest first.
    private static func pieces(_ times: ClosedRange<Int64>, levels: [RollupLevel]) -> [Piece] {
        guard let level = levels.first else { return [Piece(level: nil, times: times)] }
        let finer = Array(levels.dropFirst())
        let width = level.milliseconds
        let first = level.bucket(of: times.lowerBound) == times.lowerBound ? times.lowerBound : level.bucket(of: times.lowerBound) + width
        let end = level.bucket(of: times.upperBound + 1)
        guard first < end else { return pieces(times, levels: finer) }
        var all: [Piece] = []
        if times.lowerBound < first { all += pieces(times.lowerBound...first - 1, levels: finer) }
        all.append(Piece(level: level, times: first...end - 1))
        if end <= times.upperBound { all += pieces(end...times.upperBound, levels: finer) }
        return all
    }
}

/// Times that every server knows.
enum TimeBounds {
    /// The years 1 and 9999.
    static let known: ClosedRange<Int64> = -62_135_596_800_000...253_402_300_799_999

    static func bounded(_ time: Int64) -> Int64 { min(max(time, known.lowerBound), known.upperBound) }
}
