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

    /// Nil when there is no such file.
    package init?(_ path: String) throws(BufferError) {
        guard SmallFile.exists(path) else { return nil }
        self.path = path
        do throws(SQLiteError) {
            database = try Database(path: path, access: .readOnly)
            let version = try database.integer("PRAGMA user_version") ?? 0
            guard version == BufferFile.schemaVersion else {
                throw BufferSession.damage("its schema is " + String(version) + ", this version reads " + String(BufferFile.schemaVersion))
            }
            selectState = try database.prepare("SELECT bytes FROM state WHERE id = 1")
            selectNext = try database.prepare("SELECT sequence, bytes FROM batches WHERE sequence > ?1 ORDER BY sequence LIMIT 1")
        } catch { throw BufferError(error, path) }
    }

    func status(_ limits: BufferLimits?) throws(BufferError) -> BufferStatus {
        do throws(SQLiteError) {
            guard try selectState.step() else { throw BufferSession.damage("its state is missing") }
            let bytes = selectState.bytes(0)
            selectState.reset()
            guard let state = BufferState(decoding: bytes) else { throw BufferSession.damage("its state is damaged") }
            return try BufferStatus(database, state, path: path, limits: limits, unsealed: nil)
        } catch { throw BufferError(error, path) }
    }

    /// The oldest batch after a sequence, as its bytes are in the file.
    package func next(after sequence: Sequence64) throws(BufferError) -> (sequence: Sequence64, bytes: [UInt8])? {
        do throws(SQLiteError) {
            selectNext.bind(1, Int64(clamping: sequence))
            guard try selectNext.step() else { return nil }
            defer { selectNext.reset() }
            return (UInt64(clamping: selectNext.integer(0)), selectNext.bytes(1))
        } catch { throw BufferError(error, path) }
    }

    /// What SQLite finds wrong with the file, at most so many complaints; none for a whole one.
    package func integrityProblems(max: Int = 20) throws(BufferError) -> [String] {
        do throws(SQLiteError) {
            let check = try database.prepare("PRAGMA integrity_check(" + String(max) + ")")
            var problems: [String] = []
            while try check.step() {
                let text = check.text(0)
                if text != "ok" { problems.append(text) }
            }
            return problems
        } catch { throw BufferError(error, path) }
    }
}
