import Telemetry

/// By which clock batches were sealed: an entry wherever another boot began or the wall clock stepped. With it, batches that are still here
/// when the clock steps can be moved by the step.
struct ClockEras: Equatable, Sendable {
    struct Era: Equatable, Sendable {
        /// The first sequence that was sealed in it.
        let first: Sequence64
        let bootId: Int64
        /// Wall time less boot time, milliseconds.
        let offset: Int64
    }

    static let countMax = 16
    /// A clock without correction strays by less than this, in millionths: a smaller step is taken for drift, which grew over the whole time and
    /// of which the older ticks have had less.
    static let driftMax: Int64 = 500

    private(set) var eras: [Era] = []

    init() {}

    /// A batch is about to be sealed under this sequence.
    mutating func note(_ first: Sequence64, _ time: TickTime) {
        if let last = eras.last, last.bootId == time.bootId, (time.offset &- last.offset).magnitude < TickTime.stepMin.magnitude { return }
        eras.append(Era(first: first, bootId: time.bootId, offset: time.offset))
        if eras.count > Self.countMax { eras.removeFirst() }
    }

    func era(of sequence: Sequence64) -> Era? { eras.last { $0.first <= sequence } }

    /// Milliseconds by which the ticks of a batch are to be moved: the step that the clock has made since it was sealed in this boot.
    func step(since sequence: Sequence64, sealedAt: Int64, now: TickTime) -> Int64 {
        guard now.isSet, let era = era(of: sequence), era.bootId == now.bootId else { return 0 }
        let step = now.offset &- era.offset
        let age = max(0, now.boot &- (sealedAt &- era.offset))
        let stray = (age / 1_000_000 &+ 1) &* Self.driftMax
        return step.magnitude >= max(TickTime.stepMin, stray).magnitude ? step : 0
    }

    // MARK: In the file

    func write(to writer: inout ByteWriter) {
        writer.varint(UInt64(eras.count))
        for era in eras {
            writer.varint(era.first)
            writer.signed(era.bootId)
            writer.signed(era.offset)
        }
    }

    init(from reader: inout ByteReader) throws(DecodingError) {
        for _ in 0..<(try reader.count("eras", max: Self.countMax)) {
            eras.append(
                Era(first: try reader.varint("era.first"), bootId: try reader.signed("era.boot_id"), offset: try reader.signed("era.offset")))
        }
    }
}
