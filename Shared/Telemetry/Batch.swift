/// What a batch carries. The raw value is the wire's.
package enum BatchKind: UInt8, Sendable {
    /// A sample block.
    case samples = 1
    /// A JSON document with a `type`: a certificate report, device facts.
    case document = 2
    /// A JSON document about something that happened on the device: an eviction, a salvage.
    case event = 3

    /// The name that metrics and messages use.
    package var name: String {
        switch self {
        case .samples: "samples"
        case .document: "document"
        case .event: "event"
        }
    }

    /// What the buffer gives up last: the greater number is kept longer.
    package var priority: UInt8 { self == .samples ? 10 : 20 }
}

/// One row of a device's buffer, one MQTT message, the unit of acknowledgement: a header and one payload.
/// The bytes are laid out in `Shared/README.md`.
package struct Batch: Equatable, Sendable {
    /// The whole of a batch on the wire.
    package static let bytesMax = 64 * 1024
    /// What the header and the checksum take at most, so that a payload of `payloadBytesMax` always fits.
    package static let overheadBytesMax = 128
    package static let payloadBytesMax = bytesMax - overheadBytesMax

    static let magic: [UInt8] = [0x46, 0x57]  // "FW"
    static let version: UInt8 = 1

    package var kind: BatchKind
    /// The greater number outlives the lesser in a full buffer.
    package var priority: UInt8
    package var device: DeviceId
    package var stream: StreamId
    package var sequence: Sequence64
    /// When the device sealed it: UTC, milliseconds since 1970.
    package var sealedAt: Int64
    package var payload: ArraySlice<UInt8>

    package init(
        kind: BatchKind, priority: UInt8? = nil, device: DeviceId, stream: StreamId, sequence: Sequence64, sealedAt: Int64,
        payload: ArraySlice<UInt8>
    ) {
        self.kind = kind
        self.priority = priority ?? kind.priority
        self.device = device
        self.stream = stream
        self.sequence = sequence
        self.sealedAt = sealedAt
        self.payload = payload
    }

    /// The bytes on the wire. The payload is at most `payloadBytesMax`, which whoever seals sees to.
    package func encoded() -> [UInt8] {
        precondition(payload.count <= Self.payloadBytesMax, "a batch's payload is at most payloadBytesMax")
        var writer = ByteWriter(capacity: payload.count + Self.overheadBytesMax)
        writer.append(Self.magic)
        writer.byte(Self.version)
        writer.byte(0)  // flags: none are defined
        writer.byte(kind.rawValue)
        writer.byte(priority)
        let name = Array(device.text.utf8)
        writer.byte(UInt8(name.count))
        writer.append(name)
        writer.uint64(stream)
        writer.varint(sequence)
        writer.signed(sealedAt)
        writer.varint(UInt64(payload.count))
        writer.append(payload)
        writer.uint32(CRC32C.checksum(writer.bytes[...]))
        return writer.bytes
    }

    /// Reads a whole batch; the payload is not looked into.
    package init(decoding bytes: [UInt8]) throws(DecodingError) {
        guard bytes.count <= Self.bytesMax else { throw DecodingError(.tooLarge, "batch") }
        var reader = ByteReader(bytes)
        guard try reader.take(2, "batch.magic").elementsEqual(Self.magic) else { throw DecodingError(.badMagic, "batch.magic") }
        guard try reader.byte("batch.version") == Self.version else { throw DecodingError(.unknownVersion, "batch.version") }
        guard try reader.byte("batch.flags") == 0 else { throw DecodingError(.unknownFlags, "batch.flags") }
        let kindByte = try reader.byte("batch.kind")
        priority = try reader.byte("batch.priority")
        let nameLength = Int(try reader.byte("batch.device"))
        let name = try reader.take(nameLength, "batch.device")
        guard let text = String(validating: name, as: UTF8.self), let device = DeviceId(text) else { throw DecodingError(.badDevice, "batch.device") }
        self.device = device
        stream = try reader.uint64("batch.stream")
        guard stream != 0 else { throw DecodingError(.badNumber, "batch.stream") }
        sequence = try reader.varint("batch.sequence")
        guard sequence >= 1, sequence <= UInt64(Int64.max) else { throw DecodingError(.badNumber, "batch.sequence") }
        sealedAt = try reader.signed("batch.sealed_at")
        let length = try reader.count("batch.payload", max: Self.payloadBytesMax)
        payload = try reader.take(length, "batch.payload")
        let covered = bytes[..<reader.index]
        guard try reader.uint32("batch.checksum") == CRC32C.checksum(covered) else { throw DecodingError(.badChecksum, "batch.checksum") }
        guard reader.isAtEnd else { throw DecodingError(.trailingBytes, "batch") }
        // After the checksum, so that a damaged kind is called damage and only a whole one is called unknown.
        guard let kind = BatchKind(rawValue: kindByte) else { throw DecodingError(.unknownKind, "batch.kind") }
        self.kind = kind
    }
}
