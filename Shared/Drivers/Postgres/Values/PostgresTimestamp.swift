/// An instant in milliseconds since 1970, UTC; PostgreSQL keeps microseconds since 2000.
package struct PostgresTimestamp: Hashable, Sendable, Comparable {
    package let milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// 2000-01-01 in seconds since 1970.
    private static let epochMicroseconds: Int64 = 946_684_800 * 1_000_000

    /// The server's form; nil when it is out of what 64 bits of microseconds hold.
    var wire: Int64? { Self.wire(milliseconds: milliseconds) }

    @inline(__always)
    static func wire(milliseconds: Int64) -> Int64? {
        let (microseconds, isTooLarge) = milliseconds.multipliedReportingOverflow(by: 1000)
        let (shifted, isTooSmall) = microseconds.subtractingReportingOverflow(epochMicroseconds)
        // The two ends are the server's `infinity` and `-infinity`.
        return isTooLarge || isTooSmall || shifted == .min || shifted == .max ? nil : shifted
    }

    /// Rounded down; nil for the server's infinities.
    init?(wire: Int64) {
        guard wire != .min, wire != .max else { return nil }
        let (microseconds, isTooLarge) = wire.addingReportingOverflow(Self.epochMicroseconds)
        guard !isTooLarge else { return nil }
        let remainder = ((microseconds % 1000) + 1000) % 1000
        milliseconds = microseconds / 1000 - (remainder != 0 && microseconds < 0 ? 1 : 0)
    }

    package static func < (left: PostgresTimestamp, right: PostgresTimestamp) -> Bool { left.milliseconds < right.milliseconds }
}
