/// What the processors did since boot, in clock ticks: the first line of `/proc/stat`, all processors together (proc_stat(5)).
struct CPUTimes: Equatable {
    /// user, nice, system, irq, softirq and steal. The guest columns are left alone: their time is in user and nice already.
    let busy: UInt64
    /// idle and iowait.
    let idle: UInt64

    /// Nil for a text that does not begin with the line of all processors. Kernels before 2.6.11 have fewer columns; what is missing counts 0.
    init?(procStat text: Span<UInt8>) {
        var cursor = TextCursor()
        guard cursor.skip("cpu ", in: text) else { return nil }
        var busy: UInt64 = 0
        var idle: UInt64 = 0
        for column in 0..<8 {
            guard let ticks = cursor.unsigned(in: text) else {
                guard column >= 4, cursor.field(in: text) == nil else { return nil }
                break
            }
            let isIdle = column == 3 || column == 4
            let (sum, isTooLarge) = (isIdle ? idle : busy).addingReportingOverflow(ticks)
            guard !isTooLarge else { return nil }
            if isIdle { idle = sum } else { busy = sum }
        }
        self.busy = busy
        self.idle = idle
    }

    /// The share of the time since `earlier` that was not idle; nil when no time passed, or when a counter stepped back.
    ///
    /// proc_stat(5) of iowait: "the value in this field may decrease in certain conditions"; so the sums are compared, not each column.
    func usage(since earlier: CPUTimes) -> Double? {
        guard busy >= earlier.busy, idle >= earlier.idle else { return nil }
        let busyTicks = Double(busy - earlier.busy)
        return Ratio.of(busyTicks, busyTicks + Double(idle - earlier.idle))
    }
}
