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
    /// Sequences that one batch stands for.
    package static let spanMax: UInt64 = 1 << 16
    /// A day: what no thinning goes beyond, in seconds.
    package static let resolutionMax = 86_400

    /// Where a salvaged batch had its place first.
    package struct Origin: Equatable, Sendable {
        package var stream: StreamId
        package var sequence: Sequence64

        package init(stream: StreamId, sequence: Sequence64) {
            self.stream = stream
            self.sequence = sequence
        }
    }

    static let magic: [UInt8] = [0x46, 0x57]  // "FW"
    static let version: UInt8 = 1
    /// The flag that says that an origin follows.
    static let originFlag: UInt8 = 1

    package var kind: BatchKind
    /// The greater number outlives the lesser in a full buffer.
    package var priority: UInt8
    package var device: DeviceId
    package var stream: StreamId
    package var sequence: Sequence64
    /// How many sequences it stands for, `sequence` being the last: above 1 when it took the place of several that had never been sent.
    package var span: UInt64
    /// What its ticks were thinned to, in seconds; 0 for ticks as they were sampled.
    package var resolution: Int
    /// Where it was in an earlier life of the buffer, from whose damaged file it was salvaged: it may have been taken under that name.
    package var origin: Origin?
    /// When the device sealed it: UTC, milliseconds since 1970.
    package var sealedAt: Int64
    package var payload: ArraySlice<UInt8>

    package init(
        kind: BatchKind, priority: UInt8? = nil, device: DeviceId, stream: StreamId, sequence: Sequence64, span: UInt64 = 1,
        resolution: Int = 0, origin: Origin? = nil, sealedAt: Int64, payload: ArraySlice<UInt8>
    ) {
        self.kind = kind
        self.priority = priority ?? kind.priority
        self.device = device
        self.stream = stream
        self.sequence = sequence
        self.span = span
        self.resolution = resolution
        self.origin = origin
        self.sealedAt = sealedAt
        self.payload = payload
    }

    /// The first of the sequences that it stands for.
    package var firstSequence: Sequence64 { sequence - (span - 1) }

    /// The bytes on the wire. The payload is at most `payloadBytesMax`, which whoever seals sees to.
    package func encoded() -> [UInt8] {
        precondition(payload.count <= Self.payloadBytesMax, "a batch's payload is at most payloadBytesMax")
        var writer = ByteWriter(capacity: payload.count + Self.overheadBytesMax)
        writer.append(Self.magic)
        writer.byte(Self.version)
        writer.byte(origin == nil ? 0 : Self.originFlag)
        writer.byte(kind.rawValue)
        writer.byte(priority)
        let name = Array(device.text.utf8)
        writer.byte(UInt8(name.count))
        writer.append(name)
        writer.uint64(stream)
        writer.varint(sequence)
        writer.varint(span)
        writer.varint(UInt64(resolution))
        if let origin {
            writer.uint64(origin.stream)
            writer.varint(origin.sequence)
        }
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
        let flags = try reader.byte("batch.flags")
        guard flags & ~Self.originFlag == 0 else { throw DecodingError(.unknownFlags, "batch.flags") }
        let kindByte = try reader.byte("batch.kind")
        priority = try reader.byte("batch.priority")
        let nameLength = Int(try reader.byte("batch.device"))
        let name = try reader.take(nameLength, "batch.device")
        guard let text = String(validating: name, as: UTF8.self), let device = DeviceId(text) else { throw DecodingError(.badDevice, "batch.device") }
        self.device = device
        (stream, sequence) = try Self.place(&reader, "batch.stream", "batch.sequence")
        span = UInt64(try reader.count("batch.span", max: Int(Self.spanMax)))
        guard span >= 1, span <= sequence else { throw DecodingError(.badNumber, "batch.span") }
        resolution = try reader.count("batch.resolution", max: Self.resolutionMax)
        if flags & Self.originFlag != 0 {
            let place = try Self.place(&reader, "batch.origin", "batch.origin")
            guard span <= place.1 else { throw DecodingError(.badNumber, "batch.origin") }
            origin = Origin(stream: place.0, sequence: place.1)
        }
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

    /// A stream and a sequence in it.
    private static func place(
        _ reader: inout ByteReader, _ streamField: String, _ sequenceField: String
    ) throws(DecodingError) -> (
        StreamId, Sequence64
    ) {
        let stream = try reader.uint64(streamField)
        guard stream != 0 else { throw DecodingError(.badNumber, streamField) }
        let sequence = try reader.varint(sequenceField)
        guard sequence >= 1, sequence <= UInt64(Int64.max) else { throw DecodingError(.badNumber, sequenceField) }
        return (stream, sequence)
    }
}
