import Telemetry

/// What a buffer knows of itself, one row with a checksum: read at opening, written with every change to the batches, in the same transaction.
struct BufferState {
    /// This life of the buffer.
    let stream: StreamId
    /// The highest sequence ever sealed; 0 before the first.
    var newest: Sequence64 = 0
    /// The highest number of a tick that was sealed or given up; those above are unsealed.
    var sealedTick: Int64 = 0
    var holdings = Holdings()
    var sent = SentMarks()
    var owed = OwedReceipts()
    var pendingLoss: PendingLoss?
    /// Up to here there is nothing left to thin to minutes, and from minutes.
    var minutesThrough: Sequence64 = 0
    var coarseThrough: Sequence64 = 0
    var eras = ClockEras()
    /// The number of the last note of unwritten ticks that is among the receipts.
    var unwrittenTold: UInt64 = 0
    /// The damage that this buffer was begun after, while its event is not written.
    var damage: DamageNotice?
    /// How far the salvage of the file before it has come, while it is not done.
    var salvage: SalvageProgress?

    /// A sequence above this was never sealed, it was read from a damaged file.
    static let newestMax = Sequence64.max / 4
    private static let format: UInt8 = 2

    init(stream: StreamId) { self.stream = stream }

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 128)
        writer.byte(Self.format)
        writer.uint64(stream)
        writer.varint(newest)
        writer.signed(sealedTick)
        writer.varint(minutesThrough)
        writer.varint(coarseThrough)
        holdings.write(to: &writer)
        sent.write(to: &writer)
        eras.write(to: &writer)
        writer.varint(unwrittenTold)
        owed.write(to: &writer)
        writer.byte((pendingLoss == nil ? 0 : 1) | (damage == nil ? 0 : 2) | (salvage == nil ? 0 : 4))
        pendingLoss?.write(to: &writer)
        damage?.write(to: &writer)
        salvage?.write(to: &writer)
        writer.uint32(CRC32C.checksum(writer.bytes[...]))
        return writer.bytes
    }

    /// Nil for bytes that are not as they were written.
    init?(decoding bytes: [UInt8]) {
        guard bytes.count > 4 else { return nil }
        let body = bytes[..<(bytes.count - 4)]
        var tail = ByteReader(bytes[(bytes.count - 4)...])
        guard (try? tail.uint32("state.checksum")) == CRC32C.checksum(body) else { return nil }
        do throws(DecodingError) { try self.init(body) } catch { return nil }
    }

    private init(_ body: ArraySlice<UInt8>) throws(DecodingError) {
        var reader = ByteReader(body)
        guard try reader.byte("state.format") == Self.format else { throw DecodingError(.unknownVersion, "state.format") }
        stream = try reader.uint64("state.stream")
        newest = try reader.varint("state.newest")
        sealedTick = try reader.signed("state.sealed_tick")
        minutesThrough = try reader.varint("state.minutes")
        coarseThrough = try reader.varint("state.coarse")
        holdings = try Holdings(from: &reader)
        sent = try SentMarks(from: &reader)
        eras = try ClockEras(from: &reader)
        unwrittenTold = try reader.varint("state.unwritten_told")
        owed = try OwedReceipts(from: &reader)
        let parts = try reader.byte("state.parts")
        if parts & 1 != 0 { pendingLoss = try PendingLoss(from: &reader) }
        if parts & 2 != 0 { damage = try DamageNotice(from: &reader) }
        if parts & 4 != 0 { salvage = try SalvageProgress(from: &reader) }
        guard reader.isAtEnd, stream != 0, newest <= Self.newestMax, minutesThrough <= Self.newestMax, coarseThrough <= Self.newestMax,
            (0...TickRow.numberMax).contains(sealedTick)
        else { throw DecodingError(.badNumber, "state") }
    }
}
