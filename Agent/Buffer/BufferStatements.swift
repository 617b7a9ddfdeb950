import SQLiteDriver

/// The buffer's statements, prepared once.
struct BufferStatements {
    let insertTick: Statement
    let selectTicks: Statement
    let deleteTick: Statement
    let deleteTicks: Statement
    let insertSeries: Statement
    let selectSeries: Statement
    let deleteSeries: Statement
    let insertBatch: Statement
    let selectExact: Statement
    let selectBelow: Statement
    let selectBelowOfPriority: Statement
    let selectOldest: Statement
    let deleteRange: Statement
    let setNewest: Statement
    let setSent: Statement
    let selectSent: Statement
    let setThinned: Statement
    let selectThinned: Statement
    let deleteThinned: Statement

    init(_ database: Database) throws(SQLiteError) {
        insertTick = try database.prepare("INSERT INTO ticks(at, boot, boot_id, readings) VALUES(?1, ?2, ?3, ?4)")
        selectTicks = try database.prepare("SELECT id, at, boot, boot_id, readings FROM ticks WHERE id > ?1 ORDER BY id LIMIT ?2")
        deleteTick = try database.prepare("DELETE FROM ticks WHERE id = ?1")
        deleteTicks = try database.prepare("DELETE FROM ticks WHERE id <= ?1")
        insertSeries = try database.prepare("INSERT INTO series(key) VALUES(?1)")
        selectSeries = try database.prepare("SELECT id, key FROM series")
        deleteSeries = try database.prepare("DELETE FROM series")
        insertBatch = try database.prepare("INSERT INTO batches(sequence, priority, samples, sealed_at, bytes) VALUES(?1, ?2, ?3, ?4, ?5)")
        selectExact = try database.prepare("SELECT sequence, bytes FROM batches WHERE sequence = ?1")
        selectBelow = try database.prepare("SELECT sequence, bytes FROM batches WHERE sequence < ?1 ORDER BY sequence DESC LIMIT 1")
        selectBelowOfPriority = try database.prepare(
            "SELECT sequence, bytes FROM batches WHERE sequence < ?1 AND priority = ?2 ORDER BY sequence DESC LIMIT 1")
        selectOldest = try database.prepare(
            "SELECT sequence, samples, sealed_at FROM batches ORDER BY priority, sequence LIMIT " + String(Eviction.stepBatches))
        deleteRange = try database.prepare("DELETE FROM batches WHERE sequence BETWEEN ?1 AND ?2")
        setNewest = try database.prepare("UPDATE meta SET value = ?1 WHERE key = 'newest'")
        setSent = try database.prepare("INSERT OR REPLACE INTO meta(key, value) VALUES('sent', ?1)")
        selectSent = try database.prepare("SELECT value FROM meta WHERE key = 'sent'")
        setThinned = try database.prepare("INSERT OR REPLACE INTO meta(key, value) VALUES('thinned', ?1)")
        selectThinned = try database.prepare("SELECT value FROM meta WHERE key = 'thinned'")
        deleteThinned = try database.prepare("DELETE FROM meta WHERE key = 'thinned'")
    }
}
