/// Room for one column at a time, taken once a block: its integers, those of the column before, and what is made of them.
final class ColumnWork {
    var integers: UnsafeMutablePointer<Int64>
    var reference: UnsafeMutablePointer<Int64>
    let differences: UnsafeMutablePointer<Int64>
    let residuals: UnsafeMutablePointer<Int64>

    init(capacity: Int) {
        integers = Self.room(capacity)
        reference = Self.room(capacity)
        differences = Self.room(capacity)
        residuals = Self.room(capacity)
    }

    deinit {
        integers.deallocate()
        reference.deallocate()
        differences.deallocate()
        residuals.deallocate()
    }

    private static func room(_ capacity: Int) -> UnsafeMutablePointer<Int64> {
        let room = UnsafeMutablePointer<Int64>.allocate(capacity: capacity)
        room.initialize(repeating: 0, count: capacity)
        return room
    }
}
