import Telemetry

/// Receipts that are not written yet. While the device is cut off they gather here, one of a kind, instead of filling the buffer.
struct OwedReceipts: Equatable, Sendable {
    /// More than this are written at the next occasion, connected or not. There are fewer kinds.
    static let countMax = 12
    /// At this many no batch is given up any more until some could be written, and at the greater number not even to make room for them.
    static let givingMax = 64
    static let givingForReceiptsMax = 96
    /// What a file may hold: one change adds a few, and receipts without sequences are one of a kind.
    static let storedMax = 128

    private(set) var receipts: [EvictionReceipt] = []

    init() {}

    var isEmpty: Bool { receipts.isEmpty }
    var isFull: Bool { receipts.count > Self.countMax }

    /// Whether something may be given up and told of.
    func hasRoom(forReceipts: Bool) -> Bool { receipts.count < (forReceipts ? Self.givingForReceiptsMax : Self.givingMax) }

    /// Takes out the oldest of them.
    mutating func take(_ count: Int) -> [EvictionReceipt] {
        let taken = Array(receipts.prefix(count))
        receipts.removeFirst(taken.count)
        return taken
    }

    mutating func add(_ receipt: EvictionReceipt) {
        // The newest first: it has room where the older ones of its kind are full.
        for index in receipts.indices.reversed() where receipts[index].absorb(receipt) { return }
        receipts.append(receipt)
    }

    // MARK: In the file

    func write(to writer: inout ByteWriter) {
        writer.varint(UInt64(receipts.count))
        for receipt in receipts { receipt.write(to: &writer) }
    }

    init(from reader: inout ByteReader) throws(DecodingError) {
        for _ in 0..<(try reader.count("receipts", max: Self.storedMax)) { receipts.append(try EvictionReceipt(from: &reader)) }
    }
}
