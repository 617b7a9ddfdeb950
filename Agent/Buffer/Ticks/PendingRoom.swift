/// How many more ticks may wait to be sealed.
struct PendingRoom {
    private(set) var ticks: Int
    private(set) var samples: Int
    private(set) var bytes: Int64

    init(ticks: Int, samples: Int, bytes: Int64) {
        self.ticks = ticks
        self.samples = samples
        self.bytes = bytes
    }

    /// Takes room for a tick of so many readings; when there is none for it, there is none for another one either.
    mutating func take(_ readings: Int) -> Bool {
        let bytesOfRow = UnsealedTicks.bytes(of: readings)
        guard ticks >= 1, samples >= readings, bytes >= bytesOfRow else {
            ticks = 0
            return false
        }
        ticks -= 1
        samples -= readings
        bytes -= bytesOfRow
        return true
    }
}
