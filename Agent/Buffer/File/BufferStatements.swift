import SQLiteDriver

/// The buffer's statements, prepared once.
struct BufferStatements {
    let selectState: Statement
    let updateState: Statement
    let insertTick: Statement
    let selectTicks: Statement
    let deleteTick: Statement
    let deleteTicks: Statement
    let deleteAllTicks: Statement
    let insertSeries: Statement
    let selectSeries: Statement
    let deleteOneSeries: Statement
    let deleteSeries: Statement
    let insertBatch: Statement
    let selectExact: Statement
    let selectBelow: Statement
    let selectSequenceBelow: Statement
    let selectUrgentBelow: Statement
    let selectSamplesBelow: Statement
    let selectRows: Statement
    let selectUrgentRows: Statement
    let deleteRange: Statement
    let countRange: Statement
    let pageCount: Statement
    let freePageCount: Statement

    init(_ database: Database) throws(SQLiteError) {
        selectState = try database.prepare("SELECT bytes FROM state WHERE id = 1")
        updateState = try database.prepare("UPDATE state SET bytes = ?1 WHERE id = 1")
        insertTick = try database.prepare("INSERT INTO ticks(id, at, boot, boot_id, readings) VALUES(?1, ?2, ?3, ?4, ?5)")
        selectTicks = try database.prepare("SELECT id, at, boot, boot_id, readings FROM ticks WHERE id > ?1 ORDER BY id LIMIT ?2")
        deleteTick = try database.prepare("DELETE FROM ticks WHERE id = ?1")
        deleteTicks = try database.prepare("DELETE FROM ticks WHERE id <= ?1")
        // "When the WHERE clause … is omitted … SQLite uses an optimization to erase the entire table content without having to visit each row".
        deleteAllTicks = try database.prepare("DELETE FROM ticks")
        insertSeries = try database.prepare("INSERT INTO series(id, key, checksum) VALUES(?1, ?2, ?3)")
        selectSeries = try database.prepare("SELECT id, key, checksum FROM series")
        deleteOneSeries = try database.prepare("DELETE FROM series WHERE id = ?1")
        deleteSeries = try database.prepare("DELETE FROM series")
        insertBatch = try database.prepare(
            """
            INSERT INTO batches(sequence, priority, resolution, span, samples, ticks, first_at, last_at, last_tick, bytes)
            VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
            """)
        selectExact = try database.prepare("SELECT sequence, bytes FROM batches WHERE sequence = ?1")
        selectBelow = try database.prepare("SELECT sequence, bytes FROM batches WHERE sequence < ?1 ORDER BY sequence DESC LIMIT 1")
        selectSequenceBelow = try database.prepare("SELECT sequence FROM batches WHERE sequence < ?1 ORDER BY sequence DESC LIMIT 1")
        selectUrgentBelow = try database.prepare(
            "SELECT sequence, bytes FROM batches WHERE sequence < ?1 AND priority > 10 ORDER BY sequence DESC LIMIT 1")
        selectSamplesBelow = try database.prepare(
            "SELECT sequence, bytes FROM batches WHERE sequence < ?1 AND priority <= 10 ORDER BY sequence DESC LIMIT 1")
        // The length of a value is known from its row alone, without its bytes.
        let row = "SELECT sequence, priority, resolution, span, samples, ticks, first_at, last_at, last_tick, length(bytes) FROM batches"
        selectRows = try database.prepare(row + " WHERE sequence BETWEEN ?1 AND ?2 ORDER BY sequence LIMIT ?3")
        selectUrgentRows = try database.prepare(row + " WHERE priority > 10 AND priority BETWEEN ?1 AND ?2 ORDER BY sequence LIMIT ?3")
        deleteRange = try database.prepare("DELETE FROM batches WHERE sequence BETWEEN ?1 AND ?2")
        countRange = try database.prepare("SELECT count(*) FROM batches WHERE sequence BETWEEN ?1 AND ?2")
        pageCount = try database.prepare("PRAGMA page_count")
        freePageCount = try database.prepare("PRAGMA freelist_count")
    }
}
