import Telemetry

/// Ticks that were given up before they were sealed, because too many of them waited or nobody can know their time. Kept in the file until the
/// clock is set and a receipt can be made of it, so that a restart does not lose it.
struct PendingLoss: Equatable, Sendable {
    /// When a tick was taken, as far as is known.
    private struct Moment: Equatable, Sendable {
        let at: Int64
        let boot: Int64
        let bootId: Int64

        init(at: Int64, boot: Int64, bootId: Int64) {
            self.at = at
            self.boot = boot
            self.bootId = bootId
        }

        func settled(_ time: TickTime, _ earlier: BootOffsets) -> Int64? {
            time.settled(PendingTick(row: 0, tick: Tick(at: at, readings: []), boot: boot, bootId: bootId), earlier)?.at
        }
    }

    private(set) var ticks: Int64 = 0
    private(set) var samples: Int64 = 0
    /// The oldest and the newest that were dropped.
    private var first: Moment?
    private var last: Moment?

    init() {}

    mutating func add(_ pending: PendingTick) {
        ticks &+= 1
        samples &+= Int64(pending.tick.readings.count)
        let moment = Moment(at: pending.tick.at, boot: pending.boot, bootId: pending.bootId)
        // The oldest half is thinned each time: what comes later reaches further.
        if first == nil { first = moment }
        last = moment
    }

    /// Takes up what was given up later.
    mutating func add(_ later: PendingLoss) {
        ticks &+= later.ticks
        samples &+= later.samples
        first = first ?? later.first
        last = later.last ?? last
    }

    /// The receipt; a time that nobody can know is left out.
    func receipt(_ time: TickTime, _ earlier: BootOffsets) -> EvictionReceipt {
        EvictionReceipt(
            .dropped, cause: .pending, from: first.flatMap { $0.settled(time, earlier) }, to: last.flatMap { $0.settled(time, earlier) },
            ticks: ticks, samples: samples)
    }

    // MARK: In the file

    func write(to writer: inout ByteWriter) {
        writer.signed(ticks)
        writer.signed(samples)
        for moment in [first, last] {
            writer.signed(moment?.at ?? 0)
            writer.signed(moment?.boot ?? 0)
            writer.signed(moment?.bootId ?? 0)
        }
    }

    init(from reader: inout ByteReader) throws(DecodingError) {
        ticks = try reader.signed("pending.ticks")
        samples = try reader.signed("pending.samples")
        guard ticks >= 0, samples >= 0 else { throw DecodingError(.badNumber, "pending") }
        first = try Self.moment(&reader)
        last = try Self.moment(&reader)
    }

    private static func moment(_ reader: inout ByteReader) throws(DecodingError) -> Moment {
        Moment(at: try reader.signed("pending.at"), boot: try reader.signed("pending.boot"), bootId: try reader.signed("pending.boot_id"))
    }
}
