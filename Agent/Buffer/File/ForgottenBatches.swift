import SQLiteDriver
import Telemetry

/// Acknowledged batches. Deleting one rewrites the pages that the next seal rewrites anyway, so it waits for that; what is forgotten and
/// still there when the agent is killed is sent once more, and acknowledged once more.
extension BufferSession {
    /// Forgets batches; deletes them with the next change, or now when they are many. How many there were.
    func forget(_ run: ClosedRange<Sequence64>) throws(SQLiteError) -> Int {
        // What was forgotten before is not counted again.
        if forgotten.contains(where: { $0.overlaps(run) }) { try deleteForgotten() }
        statements.countRange.bind(1, Int64(clamping: run.lowerBound))
        statements.countRange.bind(2, Int64(clamping: run.upperBound))
        let count = try statements.countRange.step() ? statements.countRange.integer(0) : 0
        statements.countRange.reset()
        guard count > 0 else { return 0 }
        forgotten.append(run)
        if forgotten.reduce(UInt64(0), { $0 &+ ($1.upperBound - $1.lowerBound + 1) }) >= BufferLimits.forgottenMax { try deleteForgotten() }
        return Int(clamping: count)
    }

    /// Where the forgotten range around a sequence begins; nil for one that is not forgotten.
    func startOfForgotten(around sequence: Sequence64) -> Sequence64? { forgotten.first { $0.contains(sequence) }?.lowerBound }

    func deleteForgotten() throws(SQLiteError) {
        guard !forgotten.isEmpty else { return }
        try change(.written) { state throws(SQLiteError) in try deleteForgotten(from: &state) }
        forgotten.removeAll(keepingCapacity: true)
    }

    /// Deletes them as part of a change; `forgotten` is emptied when that has succeeded.
    func deleteForgotten(from state: inout BufferState) throws(SQLiteError) {
        for run in forgotten {
            var next = run.lowerBound
            while next <= run.upperBound {
                let rows = try rows(next...run.upperBound, limit: Int(BufferLimits.forgottenMax))
                try delete(rows, from: &state)
                guard rows.count == Int(BufferLimits.forgottenMax), let last = rows.last else { break }
                next = last.sequence + 1
            }
        }
    }
}
