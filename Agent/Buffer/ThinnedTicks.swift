import LinuxDriver
import Telemetry

/// Which unsealed ticks were dropped because too many of them waited: the receipt that is delivered with the next seal. It is kept in the
/// file, in `meta`, until then, so that a restart does not lose it.
struct ThinnedTicks {
    private(set) var ticks: Int64 = 0
    private(set) var samples: Int64 = 0
    /// The oldest and the newest that were dropped, without their readings.
    private var first: PendingTick?
    private var last: PendingTick?

    init() {}

    mutating func add(_ pending: PendingTick) {
        ticks &+= 1
        samples &+= Int64(pending.tick.readings.count)
        var moment = pending
        moment.tick.readings = []
        // The oldest half is thinned each time: what comes later reaches further.
        if first == nil { first = moment }
        last = moment
    }

    /// The event; a time that nobody can know is left out.
    func json(_ time: TickTime) -> String {
        var writer = JSONWriter()
        writer.object { json in
            json.string("type", "thinned_ticks")
            json.string("at", Timestamp.text(time.wall))
            json.integer("ticks", ticks)
            json.integer("samples", samples)
            if let from = first.flatMap(time.settled) { json.string("from", Timestamp.text(from.at)) }
            if let to = last.flatMap(time.settled) { json.string("to", Timestamp.text(to.at)) }
        }
        return writer.text
    }

    // MARK: In the file

    func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.signed(ticks)
        writer.signed(samples)
        if let first, let last {
            for moment in [first, last] {
                writer.signed(moment.tick.at)
                writer.signed(moment.boot)
                writer.signed(moment.bootId)
            }
        }
        return writer.bytes
    }

    /// Nil for what is no receipt; there is none most of the time.
    init?(decoding bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard let ticks = try? reader.signed("thinned.ticks"), let samples = try? reader.signed("thinned.samples"), ticks > 0, samples >= 0,
            let first = Self.moment(&reader), let last = Self.moment(&reader)
        else { return nil }
        self.ticks = ticks
        self.samples = samples
        self.first = first
        self.last = last
    }

    private static func moment(_ reader: inout ByteReader) -> PendingTick? {
        guard let at = try? reader.signed("thinned.at"), let boot = try? reader.signed("thinned.boot"),
            let bootId = try? reader.signed("thinned.boot_id")
        else { return nil }
        return PendingTick(row: 0, tick: Tick(at: at, readings: []), boot: boot, bootId: bootId)
    }
}
