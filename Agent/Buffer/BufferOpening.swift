import LinuxDriver
import SQLiteDriver
import Telemetry

/// How a buffer comes to be: from its file, from what is left of a damaged one, or in memory when there is no other way.
enum BufferOpening {
    struct Opened {
        var session: BufferSession
        var damage: DamageNotice?
        var memoryReason: String?
    }

    static func open(_ path: String, _ limits: BufferLimits, device: DeviceId, now: TickTime) throws(BufferError) -> Opened {
        do throws(BufferError) {
            let lock = try BufferFile.lock(path)
            return try openOrBegin(path, limits, device: device, lock: lock, now: now)
        } catch {
            switch error.reason {
            // These are for the operator to put right.
            case .access, .inUse, .newerVersion, .clockNotSet: throw error
            case .damaged, .full, .storage: return try inMemory(limits, device: device, now: now, error)
            }
        }
    }

    private static func inMemory(_ limits: BufferLimits, device: DeviceId, now: TickTime, _ reason: BufferError) throws(BufferError) -> Opened {
        var limits = limits
        limits.bytesMax = min(limits.bytesMax, BufferLimits.memoryBytesMax)
        limits.reserveBytes = 0
        let session = try BufferSession(BufferFile.memoryPath, limits, device: device, lock: nil, now: now)
        return Opened(session: session, damage: nil, memoryReason: reason.description)
    }

    private static func openOrBegin(
        _ path: String, _ limits: BufferLimits, device: DeviceId, lock: FileLock, now: TickTime
    ) throws(BufferError) -> Opened {
        let session: BufferSession
        do throws(BufferError) {
            if DamagedFiles.takeSentence(path) { throw BufferError(.damaged, path, "found damaged while it was in use") }
            session = try BufferSession(path, limits, device: device, lock: lock, now: now)
        } catch {
            guard error.reason == .damaged else { throw error }
            return try begin(after: error, path, limits, device: device, lock: lock, now: now)
        }
        return Opened(session: try salvage(into: session, now: now, path), damage: nil)
    }

    /// Puts the damaged file aside and begins a new one with what can be read of it.
    private static func begin(
        after damage: BufferError, _ path: String, _ limits: BufferLimits, device: DeviceId, lock: FileLock, now: TickTime
    ) throws(BufferError) -> Opened {
        guard !DamagedFiles.isHurried(path, at: now.wall) else {
            // What is wrong with it is still to be found at the next start.
            _ = DamagedFiles.condemn(path)
            throw BufferError(.damaged, path, damage.detail + "; so were those before it, within minutes: the disk is not to be trusted")
        }
        let mark = SealMark(in: lock)
        guard let aside = DamagedFiles.setAside(path, at: now.wall, bytesMax: limits.bytesMax) else { throw damage }
        let session = try BufferSession(path, limits, device: device, lock: lock, now: now)
        do throws(SQLiteError) {
            try session.change(.forced) { state throws(SQLiteError) in
                state.damage = DamageNotice(kept: aside, reason: damage.detail)
                state.salvage = SalvageProgress(path: aside, mark: mark)
            }
        } catch { throw BufferError(error, path) }
        let salvaged = try salvage(into: session, now: now, path)
        return Opened(session: salvaged, damage: salvaged.state.damage)
    }

    /// Takes over what is left to take over. A disk without room for all of it ends it for now; it goes on with the next start.
    private static func salvage(into session: BufferSession, now: TickTime, _ path: String) throws(BufferError) -> BufferSession {
        guard session.state.salvage != nil else { return session }
        do throws(SQLiteError) {
            if let salvage = Salvage(into: session, now: now) {
                try salvage.run()
            } else {
                try session.change(.forced) { state throws(SQLiteError) in state.salvage = nil }
            }
        } catch { guard error.isFull else { throw BufferError(error, path) } }
        return session
    }
}
