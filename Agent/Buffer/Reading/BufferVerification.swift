import Telemetry

/// What a look at every page, every batch and every row of a buffer finds; nothing is changed. Where SQLite cannot read on, what is left is looked for page
/// by page, as a salvage would.
package struct BufferVerification: Sendable {
    /// Complaints that are told at most.
    package static let problemsMax = 20

    package private(set) var batches = 0
    /// As `BufferStatus` counts them: without the companions of thinned ones.
    package private(set) var samples: Int64 = 0
    package private(set) var tickRows = 0
    package private(set) var problems: [String] = []
    /// Complaints in all, those that are not told among them.
    package private(set) var problemsCount = 0

    package var isWhole: Bool { problemsCount == 0 }

    private var last: Sequence64 = 0
    private var end: Sequence64 = 0

    /// Nil when there is no such file. What keeps anybody from looking is an error; damage is none.
    package init?(_ path: String) throws(BufferError) {
        // Before the file: an agent that runs writes the mark behind it.
        let mark = SealMark(beside: path)
        if BufferReader.isLogDamaged(path) { add("its log is damaged: what was written after the damage is not in the file for SQLite") }
        do throws(BufferError) {
            guard let reader = try BufferReader(path) else { return nil }
            try look(reader, mark)
        } catch {
            guard error.reason == .damaged else { throw error }
            add("it cannot be read as a buffer's database")
            guard let file = PagedFile(path) else { return }
            let scan = SalvageScan(file)
            lookAtBatches(scan)
            countTicks(scan)
        }
    }

    private mutating func look(_ reader: BufferReader, _ mark: SealMark?) throws(BufferError) {
        for problem in try reader.integrityProblems(max: Self.problemsMax) { add(problem) }
        var stream: StreamId?
        do throws(BufferError) {
            let state = try reader.state()
            stream = state.stream
            if let mark, mark.stream == state.stream, mark.newest > state.newest {
                add("it ends at sequence " + String(state.newest) + ", but had sealed " + String(mark.newest))
            }
        } catch { try tell(error, "its account of itself is missing or damaged") }
        do throws(BufferError) {
            while let (sequence, bytes) = try reader.next(after: last) { check(bytes, sequence, stream) }
        } catch {
            try tell(error, "its batches cannot be read on after sequence " + String(last) + "; the pages were looked at one by one")
            if let file = PagedFile(reader.path) { lookAtBatches(SalvageScan(file)) }
        }
        do throws(BufferError) {
            let (rows, damaged) = try reader.tickRows()
            tickRows = rows
            if damaged > 0 { add(String(damaged) + " rows of unsealed ticks or their series are damaged") }
        } catch {
            try tell(error, "its unsealed ticks cannot be read to their end; the pages were looked at one by one")
            if let file = PagedFile(reader.path) { countTicks(SalvageScan(file)) }
        }
    }

    private mutating func check(_ bytes: [UInt8], _ sequence: Sequence64, _ stream: StreamId?) {
        last = sequence
        batches += 1
        do throws(DecodingError) {
            let batch = try Batch(decoding: bytes)
            if batch.sequence != sequence || batch.stream != stream ?? batch.stream {
                add("batch " + String(sequence) + " is in another one's place")
            }
            if batch.firstSequence <= end { add("batch " + String(sequence) + " stands for sequences of the one before it") }
            end = sequence
            try count(batch)
        } catch {
            add("batch " + String(sequence) + ": " + error.description)
        }
    }

    private mutating func count(_ batch: Batch) throws(DecodingError) {
        guard batch.kind == .samples else { return }
        samples += Int64(try Block(decoding: batch.payload).sampleCount(isThinned: batch.resolution > 0))
    }

    // MARK: Page by page

    private mutating func lookAtBatches(_ scan: SalvageScan) {
        for place in scan.places where place.sequence > last {
            guard let found = scan.batch(at: place) else { continue }
            batches += 1
            do throws(DecodingError) { try count(found.batch) } catch { add("batch " + String(place.sequence) + ": " + error.description) }
        }
        if scan.damagedRows > 0 { add(String(scan.damagedRows) + " rows on pages that can be read are damaged") }
        guard let held = scan.state?.holdings.all.batches else { return add("how many batches there should be is not known") }
        if held > batches { add(String(held - Int64(batches)) + " batches of " + String(held) + " cannot be read") }
    }

    private mutating func countTicks(_ scan: SalvageScan) { tickRows = Set(scan.tickPlaces.map { $0.row }).count }

    private mutating func tell(_ error: BufferError, _ problem: String) throws(BufferError) {
        guard error.reason == .damaged else { throw error }
        add(problem)
    }

    private mutating func add(_ problem: String) {
        problemsCount += 1
        if problems.count < Self.problemsMax { problems.append(problem) }
    }
}
