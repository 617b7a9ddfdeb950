/// How much memory there is and how much of it programs could still have, in KiB: from `/proc/meminfo` (proc_meminfo(5)).
struct MemoryInformation: Equatable {
    let total: UInt64
    let available: UInt64

    /// Nil without a total, or without anything that tells what is available.
    init?(meminfo text: Span<UInt8>) {
        var cursor = TextCursor()
        var total: UInt64?
        var available: UInt64?
        var free: UInt64?
        var buffers: UInt64?
        var cached: UInt64?
        repeat {
            if cursor.skip("MemTotal:", in: text) {
                total = cursor.unsigned(in: text)
            } else if cursor.skip("MemAvailable:", in: text) {
                available = cursor.unsigned(in: text)
            } else if cursor.skip("MemFree:", in: text) {
                free = cursor.unsigned(in: text)
            } else if cursor.skip("Buffers:", in: text) {
                buffers = cursor.unsigned(in: text)
            } else if cursor.skip("Cached:", in: text) {
                cached = cursor.unsigned(in: text)
            }
            if total != nil && available != nil { break }
        } while cursor.skipLine(in: text)
        guard let total, total > 0 else { return nil }
        guard let available = available ?? Self.estimate(free, buffers, cached) else { return nil }
        self.total = total
        self.available = min(available, total)
    }

    var usage: Double? { Ratio.of(Double(total - available), Double(total)) }

    /// Kernels before 3.14 have no MemAvailable: what is free, and the caches that they would give up.
    private static func estimate(_ free: UInt64?, _ buffers: UInt64?, _ cached: UInt64?) -> UInt64? {
        guard let free else { return nil }
        var sum = free
        for part in [buffers ?? 0, cached ?? 0] {
            let (more, isTooLarge) = sum.addingReportingOverflow(part)
            guard !isTooLarge else { return nil }
            sum = more
        }
        return sum
    }
}
