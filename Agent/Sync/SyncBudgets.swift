import Telemetry

/// What bounds the bytes over time: the operator's rate for the backlog and budget for an hour, and the collector's pace. A value.
struct SyncBudgets: Sendable {
    enum Lane: Sendable { case live, backlog }

    private struct Pace {
        var bucket: ByteBucket
        /// When it ends: milliseconds on the boot clock.
        var ends: Int64
    }

    private var rate: ByteBucket?
    private var hourly: ByteBucket?
    private var pace: Pace?

    /// Buckets begin empty: a restart wins no bytes. It forgives a debt, which is one batch at most.
    init(_ limits: SyncLimits) {
        rate = limits.backlogBytesPerSecond.map { Self.bucket(bytesPerSecond: Double($0)) }
        hourly = limits.bytesPerHour.map { budget in
            let burst = Double(budget) * SyncLimits.hourlyBurstShare
            return ByteBucket(bytesPerSecond: (Double(budget) - burst) / 3_600, burst: burst, level: 0, now: 0)
        }
    }

    private static func bucket(bytesPerSecond: Double, now: Int64 = 0) -> ByteBucket {
        ByteBucket(bytesPerSecond: bytesPerSecond, burst: bytesPerSecond * SyncLimits.rateBurstSeconds, level: 0, now: now)
    }

    /// The first time that these clocks are read: nothing was saved up before.
    mutating func begin(now: Int64) {
        if let rate { self.rate = ByteBucket(bytesPerSecond: rate.bytesPerSecond, burst: rate.burst, level: 0, now: now) }
        if let hourly { self.hourly = ByteBucket(bytesPerSecond: hourly.bytesPerSecond, burst: hourly.burst, level: 0, now: now) }
    }

    /// The collector asks for this pace. It holds for its time whatever comes without one meanwhile, since that may be another collector's.
    mutating func paced(_ bytesPerSecond: Int, now: Int64) {
        let ends = now + Acknowledgement.paceValidity
        if let known = pace, known.ends > now, known.bucket.bytesPerSecond == Double(bytesPerSecond) {
            pace?.ends = ends
            return
        }
        // A debt to the pace before is carried over, so that changing paces never let more through than the greatest of them.
        let owed = pace.map { $0.ends > now ? min(0, $0.bucket.available(now: now)) : 0 } ?? 0
        let rate = Double(max(1, bytesPerSecond))
        pace = Pace(bucket: ByteBucket(bytesPerSecond: rate, burst: rate * SyncLimits.rateBurstSeconds, level: owed, now: now), ends: ends)
    }

    mutating func sent(_ bytes: Int, in lane: Lane, now: Int64) {
        hourly?.take(bytes, now: now)
        guard lane == .backlog else { return }
        rate?.take(bytes, now: now)
        if pace.map({ $0.ends > now }) ?? false { pace?.bucket.take(bytes, now: now) }
    }

    /// When a batch of the lane may go: `now` or later.
    func ready(_ lane: Lane, now: Int64) -> Int64 {
        let hour = hourly.map { $0.ready(above: lane == .live ? 0 : $0.burst * SyncLimits.hourlyLiveShare, now: now) } ?? now
        guard lane == .backlog else { return hour }
        let steady = rate?.ready(above: 0, now: now) ?? now
        return max(hour, max(steady, paceReady(now)))
    }

    private func paceReady(_ now: Int64) -> Int64 {
        guard let pace, pace.ends > now else { return now }
        return min(pace.ends, pace.bucket.ready(above: 0, now: now))
    }

    // MARK: For the status

    /// The collector's pace in bytes a second, and for how many milliseconds it still holds.
    func pace(now: Int64) -> (bytesPerSecond: Int64, endsIn: Int64)? {
        guard let pace, pace.ends > now else { return nil }
        return (Int64(pace.bucket.bytesPerSecond), pace.ends - now)
    }

    /// What the hourly budget lets go at once, in bytes; negative for a debt.
    func hourlyLeft(now: Int64) -> Int64? { hourly.map { Int64($0.available(now: now)) } }
}
