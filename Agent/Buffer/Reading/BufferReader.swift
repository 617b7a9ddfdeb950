import LinuxDriver
import SQLiteDriver
import Telemetry

/// A buffer that is only looked at, while an agent may have it open. Nothing is read for longer than one batch takes, since a long reading would
/// hold up the agent's log.
package final class BufferReader {
    package let path: String
    private let database: Database
    private let selectState: Statement
    private let selectNext: Statement
    private let selectSeries: Statement
    private let selectNextTick: Statement

    /// Nil when there is no such file.
    package init?(_ path: String) throws(BufferError) {
        guard SmallFile.exists(path) else { return nil }
        self.path = path
        do throws(SQLiteError) {
            database = try Database(path: path, access: .readOnly)
            guard try BufferFile.version(of: database) == BufferFile.schemaVersion else { throw BufferSession.damage("it is no buffer") }
            selectState = try database.prepare("SELECT bytes FROM state WHERE id = 1")
            selectNext = try database.prepare("SELECT sequence, bytes FROM batches WHERE sequence > ?1 ORDER BY sequence LIMIT 1")
            selectSeries = try database.prepare("SELECT id, key, checksum FROM series")
            selectNextTick = try database.prepare("SELECT id, at, boot, boot_id, readings FROM ticks WHERE id > ?1 ORDER BY id LIMIT 1")
        } catch { throw BufferFile.failure(error, path) }
    }

    func status(_ limits: BufferLimits?) throws(BufferError) -> BufferStatus {
        do throws(SQLiteError) { return try BufferStatus(database, readState(), path: path, limits: limits, unsealed: nil) } catch {
            throw BufferError(error, path)
        }
    }

    private func readState() throws(SQLiteError) -> BufferState {
        guard try selectState.step() else { throw BufferSession.damage("its state is missing") }
        let bytes = selectState.bytes(0)
        selectState.reset()
        guard let state = BufferState(decoding: bytes) else { throw BufferSession.damage("its state is damaged") }
        return state
    }

    func state() throws(BufferError) -> BufferState {
        do throws(SQLiteError) { return try readState() } catch { throw BufferError(error, path) }
    }

    /// So often in a row a log looks damaged that is: one that an agent writes at this moment may look so once.
    private static let logChecks = 5

    /// Whether the log is damaged, so far as that can be told: not where a power cut may have torn it, which the next start knows how to take.
    static func isLogDamaged(_ path: String) -> Bool {
        let path = FileIdentity.resolved(path) ?? path
        if let mark = SealMark(beside: path), mark.bootId != BufferFile.currentBootId() { return false }
        for _ in 0..<logChecks { guard JournalCheck.isDamaged(path) else { return false } }
        return true
    }

    /// How many unsealed ticks there are, and how many of their rows and their series' are damaged.
    package func tickRows() throws(BufferError) -> (rows: Int, damaged: Int) {
        do throws(SQLiteError) {
            var (rows, damaged) = (0, 0)
            var lastSeries: Int64?
            while try selectSeries.step() {
                let id = selectSeries.integer(0)
                guard lastSeries.map({ id > $0 }) ?? true else { throw BufferSession.damage("its series are out of order") }
                lastSeries = id
                if SeriesRow.series(selectSeries.integer(0), selectSeries.bytes(1), selectSeries.integer(2)) == nil { damaged += 1 }
            }
            var last = Int64.min
            selectNextTick.bind(1, last)
            while try selectNextTick.step() {
                guard selectNextTick.integer(0) > last else { throw BufferSession.damage("its ticks are out of order") }
                last = selectNextTick.integer(0)
                let tick = TickRow.decode(
                    selectNextTick.bytes(4), row: last, at: selectNextTick.integer(1), boot: selectNextTick.integer(2),
                    bootId: selectNextTick.integer(3)
                ) { _ in nil }
                rows += 1
                if tick == nil { damaged += 1 }
                selectNextTick.reset()
                selectNextTick.bind(1, last)
            }
            return (rows, damaged)
        } catch { throw BufferError(error, path) }
    }

    /// The oldest batch after a sequence, as its bytes are in the file.
    package func next(after sequence: Sequence64) throws(BufferError) -> (sequence: Sequence64, bytes: [UInt8])? {
        do throws(SQLiteError) {
            selectNext.bind(1, Int64(clamping: sequence))
            guard try selectNext.step() else { return nil }
            defer { selectNext.reset() }
            let found = UInt64(clamping: selectNext.integer(0))
            guard found > sequence else { throw BufferSession.damage("its batches are out of order") }
            return (found, selectNext.bytes(1))
        } catch { throw BufferError(error, path) }
    }

    /// What SQLite finds wrong with the file, at most so many complaints; none for a whole one.
    package func integrityProblems(max: Int = 20) throws(BufferError) -> [String] {
        var problems: [String] = []
        do throws(SQLiteError) {
            let check = try database.prepare("PRAGMA integrity_check(" + String(max) + ")")
            while try check.step() {
                let text = check.text(0)
                if text != "ok" { problems.append(text) }
            }
        } catch {
            guard error.isCorruption else { throw BufferError(error, path) }
            problems.append("SQLite cannot check it to its end")
        }
        return problems
    }
}
