import Telemetry

/// Receipts that are not written yet. While the device is cut off they gather here, one of a kind, instead of filling the buffer.
struct OwedReceipts: Equatable, Sendable {
    /// More than this are written at the next occasion, connected or not. There are fewer kinds.
    static let countMax = 12
    /// What a file may hold: one change adds a few beyond `countMax`.
    private static let storedMax = 64

    private(set) var receipts: [EvictionReceipt] = []

    init() {}

    var isEmpty: Bool { receipts.isEmpty }
    var isFull: Bool { receipts.count > Self.countMax }

    mutating func add(_ receipt: EvictionReceipt) {
        for index in receipts.indices where receipts[index].absorb(receipt) { return }
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
