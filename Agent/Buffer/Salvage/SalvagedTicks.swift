import Telemetry

/// What became of the ticks of a damaged file that were not sealed, or may not have been. What it holds with readings is no more than may wait.
struct SalvagedTicks {
    /// A tick that is not taken over, without its readings.
    struct Lost {
        let tick: PendingTick
        let readings: Int
    }

    /// Certainly never sealed, and there is room for them: the newest of those.
    private(set) var unsealed: [PendingTick] = []
    /// Never sealed and too many to wait; or sealed by the mark or a batch, but not by the state: their batch may be lost.
    private(set) var lost: [Lost] = []
    /// Those whose rows are damaged, or missing between others.
    private(set) var missing = 0
    /// Readings of ticks that are here, whose series are not.
    private(set) var lostReadings = 0
    /// The first tick that has lost some.
    private(set) var firstWithLoss: PendingTick?
    /// The newest that was read.
    private(set) var last: PendingTick?
    /// What the ticks tell of the boots they were taken in.
    private(set) var offsets = BootOffsets([])

    private var room: PendingRoom
    private var unsealedCount = 0

    /// Judges the ticks by how far was sealed. Where nobody can tell, none is certain.
    init(_ scan: SalvageScan, _ mark: SealMark?, room: PendingRoom) {
        self.room = room
        let sealedByState = max(0, scan.state?.sealedTick ?? 0)
        let isKnown = scan.state != nil || mark != nil
        let bound = isKnown ? max(mark?.sealedTick ?? 0, scan.sealedTick, sealedByState) : Int64.max
        // From the newest to the oldest: those have the room.
        var oldest = Int64.max
        for place in scan.tickPlaces.reversed() where place.row < oldest && place.row > sealedByState {
            guard let found = scan.tick(at: place) else { continue }
            oldest = place.row
            take(found.tick, found.lostReadings, isUnsealed: place.row > bound)
        }
        unsealed.reverse()
        lost.reverse()
        // Numbers rise by one; those of ticks that were given up before are missing too, and have their receipt.
        let count = scan.tickPlaces.count
        if isKnown, let last = scan.tickPlaces.last?.row, last > bound, last - bound <= Int64(SalvageScan.ticksMax) {
            let given = min(scan.state?.pendingLoss?.ticks ?? 0, last - bound)
            missing = max(0, Int(last - bound - given) - unsealedCount)
        } else {
            missing = max(0, count - unsealed.count - lost.count)
        }
    }

    private mutating func take(_ tick: PendingTick, _ lostReadings: Int, isUnsealed: Bool) {
        var bare = tick
        bare.tick.readings = []
        self.lostReadings += lostReadings
        if lostReadings > 0 { firstWithLoss = bare }
        // What has lost all of its readings is no tick any more: it is missing.
        if tick.tick.readings.isEmpty, lostReadings > 0 { return }
        if last == nil { last = bare }
        offsets.add(bare)
        if isUnsealed { unsealedCount += 1 }
        if isUnsealed, room.take(tick.tick.readings.count) {
            unsealed.append(tick)
        } else {
            lost.append(Lost(tick: bare, readings: tick.tick.readings.count))
        }
    }
}
