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
        var aside: SettingAside
        if let unfinished = SettingAside.unfinished(path) {
            aside = unfinished
        } else {
            do throws(BufferError) {
                if DamagedFiles.isCondemned(path) { throw BufferError(.damaged, path, "found damaged while it was in use") }
                let session = try BufferSession(path, limits, device: device, lock: lock, now: now)
                try salvage(into: session, now: now, path)
                return Opened(session: session, damage: nil)
            } catch { aside = try sentence(path, for: error, lock, now) }
        }
        for _ in 0..<DamagedFiles.hurryCount {
            let session = try begin(after: aside, path, limits, device: device, lock: lock, now: now)
            do throws(BufferError) {
                try salvage(into: session, now: now, path)
                return Opened(session: session, damage: session.state.damage?.all.first { $0.kept == aside.kept })
            } catch { aside = try sentence(path, for: error, lock, now) }
        }
        throw BufferError(.damaged, path, aside.reason + "; so were those before it: the disk is not to be trusted")
    }

    /// Notes that the damaged file goes aside. Where it may not, or that cannot be noted, the next start is told that it is damaged.
    private static func sentence(_ path: String, for error: BufferError, _ lock: FileLock, _ now: TickTime) throws(BufferError) -> SettingAside {
        guard error.reason == .damaged else { throw error }
        guard !DamagedFiles.isHurried(path, at: now.wall) else {
            _ = DamagedFiles.condemn(path)
            throw BufferError(.damaged, path, error.detail + "; so were those before it, within minutes: the disk is not to be trusted")
        }
        let aside = SettingAside(kept: DamagedFiles.name(path, at: now.wall), reason: error.detail, mark: SealMark(in: lock))
        guard aside.note(path) else {
            _ = DamagedFiles.condemn(path)
            throw BufferError(.full, path, error.detail + "; there is no room to note that it is set aside")
        }
        return aside
    }

    /// Puts the damaged file aside and begins a new one that knows of it; each step may have been taken before.
    private static func begin(
        after aside: SettingAside, _ path: String, _ limits: BufferLimits, device: DeviceId, lock: FileLock, now: TickTime
    ) throws(BufferError) -> BufferSession {
        DamagedFiles.pardon(path)
        guard aside.move(path) else { throw BufferError(.storage, path, aside.reason + "; it cannot be set aside") }
        DamagedFiles.prune(path, keeping: aside.kept, bytesMax: nil)
        let session = try newSession(after: aside, path, limits, device: device, lock: lock, now: now)
        aside.forget(path)
        return session
    }

    /// A new file that is damaged before anything is in it goes aside without ado, and one that finds no room gets what was held for bad times.
    private static func newSession(
        after aside: SettingAside, _ path: String, _ limits: BufferLimits, device: DeviceId, lock: FileLock, now: TickTime
    ) throws(BufferError) -> BufferSession {
        do throws(BufferError) { return try session(after: aside, path, limits, device: device, lock: lock, now: now) } catch {
            switch error.reason {
            case .damaged: guard SettingAside(kept: DamagedFiles.name(path, at: now.wall), reason: error.detail).move(path) else { throw error }
            case .full: guard DiskReserve.remove(path) else { throw error }
            default: throw error
            }
        }
        return try session(after: aside, path, limits, device: device, lock: lock, now: now)
    }

    private static func session(
        after aside: SettingAside, _ path: String, _ limits: BufferLimits, device: DeviceId, lock: FileLock, now: TickTime
    ) throws(BufferError) -> BufferSession {
        let session = try BufferSession(path, limits, device: device, lock: lock, now: now)
        // Where the last step before the note was forgotten was taken, the file tells by itself.
        guard session.isUntouched else { return session }
        do throws(SQLiteError) {
            try session.change(.forced) { state throws(SQLiteError) in
                state.damage = DamageNotice(kept: aside.kept, reason: aside.reason)
                state.salvage = SalvageProgress(path: aside.kept, mark: aside.mark)
            }
        } catch { throw BufferError(error, path) }
        return session
    }

    /// Takes over what is left to take over, of one file after the other. A disk without room for all of it ends it for now; it goes on with the next
    /// start.
    private static func salvage(into session: BufferSession, now: TickTime, _ path: String) throws(BufferError) {
        guard let first = session.state.salvage else { return }
        do throws(SQLiteError) {
            for _ in 0..<Salvage.filesMax where session.state.salvage != nil {
                if let salvage = Salvage(into: session, now: now) {
                    try salvage.run()
                } else {
                    try session.change(.forced) { state throws(SQLiteError) in
                        state.salvage = nil
                        state.owed.add(SalvageLoss.ofFile(now))
                    }
                }
            }
        } catch { guard error.isFull else { throw BufferError(error, path) } }
        if session.state.salvage == nil { DamagedFiles.prune(path, keeping: first.path, bytesMax: session.limits.bytesMax) }
    }
}

extension BufferSession {
    /// Whether nothing was ever put into it.
    fileprivate var isUntouched: Bool {
        state.newest == 0 && state.sealedTick == 0 && unsealed.ticks.isEmpty && state.owed.isEmpty && state.damage == nil && state.salvage == nil
    }
}
