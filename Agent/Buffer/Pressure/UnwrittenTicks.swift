import LinuxDriver
import Telemetry

/// Ticks that found no room, on a disk that is full and frozen: counted, and noted in the lock beside the file, where writing over what is there
/// needs no room, so that the next process tells of them when this one is killed. When there is room again a receipt does.
struct UnwrittenTicks {
    private static let magic: [UInt8] = [0x46, 0x57, 0x55, 0x31]  // "FWU1"
    /// Behind the mark of what was sealed.
    private static let place = 64
    private static let bytesCount = 56

    /// What is not told yet.
    private(set) var untold: EvictionReceipt?
    /// Of this note. The buffer's state says which one it took up last.
    private(set) var number: UInt64
    /// Since the buffer was opened.
    private(set) var ticks: Int64 = 0

    private let lock: FileLock?

    /// What an earlier process noted, unless the state says that it is told. The note is there from now on, so that it needs no room later.
    init(_ lock: FileLock?, told: UInt64) {
        self.lock = lock
        number = told &+ 1
        // The lock is not forced to disk, the state is: after a power cut an older note may be back.
        if let (found, receipt) = lock.flatMap(Self.read), found > told {
            number = found
            untold = receipt
        } else {
            note()
        }
    }

    mutating func add(_ tick: Tick) {
        ticks += 1
        // A time from before the clock was set says nothing.
        let at = tick.at >= Clock.plausibleWallMin ? tick.at : nil
        let lost = EvictionReceipt(.dropped, cause: .unwritten, from: at, to: at, ticks: 1, samples: Int64(tick.readings.count))
        if untold?.absorb(lost) != true { untold = lost }
        note()
    }

    /// The state has taken it up, under its number.
    mutating func told() {
        untold = nil
        number &+= 1
        note()
    }

    // MARK: In the lock

    private func note() {
        guard let lock else { return }
        var writer = ByteWriter(capacity: Self.bytesCount)
        writer.append(Self.magic)
        writer.uint64(number)
        // 0 says that a time is not known: nothing here is of 1970.
        for value in [untold?.ticks ?? 0, untold?.samples ?? 0, untold?.from ?? 0, untold?.to ?? 0] { writer.uint64(UInt64(bitPattern: value)) }
        writer.uint64(0)
        writer.uint32(CRC32C.checksum(writer.bytes[...]))
        lock.note(writer.bytes, at: Self.place)
    }

    /// Nil when there is none, or not a whole one, or it tells of nothing.
    private static func read(_ lock: FileLock) -> (number: UInt64, receipt: EvictionReceipt)? {
        let bytes = lock.noted(bytesCount, at: place)
        guard bytes.count == bytesCount, bytes.starts(with: magic) else { return nil }
        var reader = ByteReader(bytes[magic.count...])
        guard let number = try? reader.uint64("note"), let ticks = try? reader.uint64("note"), let samples = try? reader.uint64("note"),
            let from = try? reader.uint64("note"), let to = try? reader.uint64("note"), (try? reader.uint64("note")) != nil,
            let checksum = try? reader.uint32("note"), checksum == CRC32C.checksum(bytes[..<(bytesCount - 4)]), ticks > 0
        else { return nil }
        let receipt = EvictionReceipt(
            .dropped, cause: .unwritten, from: from == 0 ? nil : Int64(bitPattern: from), to: to == 0 ? nil : Int64(bitPattern: to),
            ticks: Int64(clamping: ticks), samples: Int64(clamping: samples))
        return (number, receipt)
    }
}
