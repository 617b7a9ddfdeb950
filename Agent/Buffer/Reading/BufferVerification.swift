import Telemetry

/// What a look at every page, every batch and every row of a buffer finds; nothing is changed.
package struct BufferVerification: Sendable {
    /// Complaints that are told at most.
    package static let problemsMax = 20

    package private(set) var batches = 0
    /// As `BufferStatus` counts them: without the companions of thinned ones.
    package private(set) var samples = 0
    package private(set) var tickRows = 0
    package private(set) var problems: [String] = []
    /// Complaints in all, those that are not told among them.
    package private(set) var problemsCount = 0

    package var isWhole: Bool { problemsCount == 0 }

    package init(_ reader: BufferReader) throws(BufferError) {
        for problem in try reader.integrityProblems(max: Self.problemsMax) { add(problem) }
        let stream = try reader.stream()
        var last: Sequence64 = 0
        var end: Sequence64 = 0
        while let (sequence, bytes) = try reader.next(after: last) {
            last = sequence
            batches += 1
            check(bytes, sequence, stream, after: &end)
        }
        let (rows, damaged) = try reader.tickRows()
        tickRows = rows
        if damaged > 0 { add(String(damaged) + " rows of unsealed ticks or their series are damaged") }
    }

    private mutating func check(_ bytes: [UInt8], _ sequence: Sequence64, _ stream: StreamId, after end: inout Sequence64) {
        do throws(DecodingError) {
            let batch = try Batch(decoding: bytes)
            if batch.sequence != sequence || batch.stream != stream { add("batch " + String(sequence) + " is in another one's place") }
            if batch.firstSequence <= end { add("batch " + String(sequence) + " stands for sequences of the one before it") }
            end = sequence
            if batch.kind == .samples { samples += try Block(decoding: batch.payload).sampleCount(isThinned: batch.resolution > 0) }
        } catch {
            add("batch " + String(sequence) + ": " + error.description)
        }
    }

    private mutating func add(_ problem: String) {
        problemsCount += 1
        if problems.count < Self.problemsMax { problems.append(problem) }
    }
}
