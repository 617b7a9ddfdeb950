import DiskRecorder

/// What was asked of the disk, in order.
struct Recording {
    enum Operation {
        case write(offset: Int, bytes: [UInt8])
        case truncate(size: Int)
        case sync
        case delete(isSynced: Bool)
        /// It got its name with this in it.
        case appear(bytes: [UInt8])
    }

    /// What the directory itself is called.
    static let directory = "."

    let operations: [(file: String, operation: Operation)]

    /// Takes down what `work` does in a directory; `work` may ask for the number of operations so far.
    static func of(_ directory: String, _ work: () throws -> Void) rethrows -> Recording {
        disk_recorder_start(directory)
        defer { disk_recorder_stop() }
        try work()
        return Recording(operations: (0..<disk_recorder_count()).map { operation(disk_recorder_operation($0).pointee) })
    }

    static var count: Int { Int(disk_recorder_count()) }

    private static func operation(_ taken: disk_operation) -> (file: String, operation: Operation) {
        let file = withUnsafeBytes(of: taken.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        switch taken.kind {
        case DISK_WRITE:
            return (file, .write(offset: Int(taken.offset), bytes: Array(UnsafeBufferPointer(start: taken.bytes, count: Int(taken.length)))))
        case DISK_TRUNCATE: return (file, .truncate(size: Int(taken.offset)))
        case DISK_SYNC: return (file, .sync)
        case DISK_APPEAR: return (file, .appear(bytes: Array(UnsafeBufferPointer(start: taken.bytes, count: Int(taken.length)))))
        default: return (file, .delete(isSynced: taken.offset != 0))
        }
    }
}
