import Telemetry

/// How far the salvage of a damaged file has come: kept in the new one, so that it goes on where it was when it is interrupted.
struct SalvageProgress: Equatable, Sendable {
    /// The damaged file.
    let path: String
    /// How far it had sealed by its mark, if there was one.
    let mark: SealMark?
    /// Its batches up to this sequence are here.
    var through: Sequence64 = 0

    private static let pathBytesMax = 4_096

    init(path: String, mark: SealMark?) {
        self.path = path
        self.mark = mark
    }

    func write(to writer: inout ByteWriter) {
        writer.text(path)
        writer.varint(through)
        writer.uint64(mark?.stream ?? 0)
        writer.varint(mark?.newest ?? 0)
        writer.signed(mark?.sealedTick ?? 0)
    }

    init(from reader: inout ByteReader) throws(DecodingError) {
        path = try reader.text("salvage.path", max: Self.pathBytesMax)
        through = try reader.varint("salvage.through")
        let stream = try reader.uint64("salvage.stream")
        let newest = try reader.varint("salvage.newest")
        let sealedTick = try reader.signed("salvage.sealed_tick")
        mark = stream == 0 ? nil : SealMark(stream: stream, newest: newest, sealedTick: sealedTick, bootId: 0)
    }
}
