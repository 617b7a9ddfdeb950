import Telemetry

/// Something that was refused, as it came.
package struct QuarantinedItem: Equatable, Sendable {
    /// The sequences of a stream that a batch stands for.
    package struct Place: Equatable, Sendable {
        package let stream: StreamId
        package let sequences: ClosedRange<Sequence64>

        package init(stream: StreamId, sequences: ClosedRange<Sequence64>) {
            self.stream = stream
            self.sequences = sequences
        }
    }

    /// The store's number for it, rising; 0 before it is kept.
    package let id: Int64
    package let device: DeviceId
    /// A name of `Refusal.Reason`, a colon, and words.
    package let reason: String
    /// When it came: UTC, milliseconds since 1970.
    package let at: Int64
    /// What of the device's account it is to close; nil where that could not be read or is not the device's own.
    package let place: Place?
    /// As it came, up to `bytesMax`.
    package let bytes: [UInt8]

    /// Bytes kept of an item: one more than a batch may have, so that what was cut is told from what is whole.
    package static let bytesMax = Batch.bytesMax + 1

    /// It was larger than any batch and only its beginning is kept: it can be looked at, but not played again.
    package var isCut: Bool { bytes.count > Batch.bytesMax }

    package init(id: Int64 = 0, device: DeviceId, reason: String, at: Int64, place: Place? = nil, bytes: [UInt8]) {
        self.id = id
        self.device = device
        self.reason = reason
        self.at = at
        self.place = place
        self.bytes = bytes
    }
}

/// Which items are asked for, newest first.
package struct QuarantineQuery: Sendable {
    /// Items of one answer, 64 KiB each at most.
    package static let limitMax = 100

    package let device: DeviceId?
    /// The name that the reason begins with.
    package let reason: String?
    /// Only items with a lesser id: where the page before ended.
    package let before: Int64
    package let limit: Int

    package init(device: DeviceId? = nil, reason: String? = nil, before: Int64? = nil, limit: Int = limitMax) {
        self.device = device
        self.reason = reason
        self.before = before ?? .max
        self.limit = min(max(limit, 1), Self.limitMax)
    }
}
