import SQLiteDriver
import Telemetry

/// The bound, and room for what is to be written.
extension Buffer {
    /// Makes room when the file is nearly as large as it may be, a few steps now and the others with the ticks to come. What was sealed before
    /// stays sealed on a disk too full for this.
    func keepBound(goingOut: Bool) throws(BufferError) {
        do throws(BufferError) {
            if try reported({ () throws(SQLiteError) in try session.usedBytes() }) > limits.pressureBytes { isUnderPressure = true }
            try relieve(steps: BufferLimits.sealSteps)
            try reported { () throws(SQLiteError) in try session.thaw() }
            try sealOwed(now, goingOut: goingOut)
        } catch {
            guard error.reason == .full else { throw error }
        }
    }

    func relieve(steps: Int) throws(BufferError) {
        for _ in 0..<steps where isUnderPressure {
            try reported { () throws(SQLiteError) in
                if try session.usedBytes() <= limits.pressureFloorBytes {
                    isUnderPressure = false
                } else {
                    isUnderPressure = try session.relieve(.size)
                }
            }
        }
    }

    // MARK: Receipts

    /// The event of a damaged file and, when they can go out or are many, the receipts.
    func sealOwed(_ now: TickTime, goingOut: Bool) throws(BufferError) {
        if session.state.damage != nil, session.state.salvage == nil {
            try makingRoom { () throws(SQLiteError) in try session.sealDamage(now: now, goingOut: goingOut) }
        }
        guard goingOut || session.state.owed.isFull else { return }
        // What is given up to make room for them is told of by further ones.
        session.isSealingReceipts = true
        defer { session.isSealingReceipts = false }
        for _ in 0..<BufferLimits.receiptPasses where !session.state.owed.isEmpty {
            try makingRoom { () throws(SQLiteError) in try session.sealReceipts(now: now, goingOut: goingOut) }
        }
    }

    /// Writes the receipts when they have become many, before anything else asks for room: nothing can be given up while there are too many. Where
    /// that fails for want of room they stay owed.
    func sealManyOwed(_ now: TickTime) throws(BufferError) {
        guard session.state.owed.isFull, now.isSet else { return }
        do throws(BufferError) { try sealOwed(now, goingOut: false) } catch { guard error.reason == .full else { throw error } }
    }

    /// Counts a tick that `append` found no room for: it is gone. `tellUnwritten` tells of it, in this process or the next.
    package func lose(_ tick: Tick) { session.unwritten.add(tick) }

    /// Ticks that were lost so since the buffer was opened.
    package var unwrittenTicks: Int64 { session.unwritten.ticks }

    /// Whether there are such that are not among the receipts yet.
    package var hasUntold: Bool { session.unwritten.untold != nil }

    /// Call this when there is room again: makes a receipt of the ticks that found none. Whether there was one to make.
    @discardableResult
    package func tellUnwritten() throws(BufferError) -> Bool {
        guard let receipt = session.unwritten.untold else { return false }
        let number = session.unwritten.number
        // The state says which note it has taken up: one that is still there after a kill is not told twice.
        try makingRoom { () throws(SQLiteError) in
            try session.change(.forced) { state throws(SQLiteError) in
                state.owed.add(receipt)
                state.unwrittenTold = number
            }
        }
        session.unwritten.told()
        return true
    }

    // MARK: Room

    /// Runs `work`; when there is no room for it, gives things up, one after the other, until there is or nothing is left to give.
    func makingRoom(_ work: () throws(SQLiteError) -> Void) throws(BufferError) {
        do throws(SQLiteError) { return try work() } catch {
            guard error.isFull else { throw BufferError(error, path) }
            try reported { () throws(SQLiteError) in try makeRoom(for: work, after: error) }
        }
    }

    private func makeRoom(for work: () throws(SQLiteError) -> Void, after error: SQLiteError) throws(SQLiteError) {
        var error = error
        let cause: EvictionReceipt.Cause = session.isDiskFull ? .diskFull : .size
        for step in 0..<BufferLimits.roomSteps {
            switch (cause, step) {
            // The log's room that is taken already can be written again, and then there is what was held back.
            case (.diskFull, 0):
                session.database.checkpoint()
                try session.thaw()
            case (.diskFull, 1): guard try session.freeze() else { continue }
            default: guard try session.relieve(cause) else { throw error }
            }
            do throws(SQLiteError) { return try work() } catch let next {
                guard next.isFull else { throw next }
                error = next
            }
        }
        throw error
    }
}
