import DocumentStores
import LinuxDriver
import Telemetry
import TimeSeriesStores

/// Judges a message by its topic and bytes alone: what it is, or why it will never be accepted. No clock, no store.
package enum BatchCheck {
    /// Nothing of ours was sampled before: 2020-01-01T00:00:00Z.
    package static let timeMin: Int64 = 1_577_836_800_000
    /// How far a device's clock may run ahead of the collector's, milliseconds.
    package static let aheadMax: Int64 = 86_400_000
    /// Less than what stores read back: services put what devices sent into documents of their own.
    package static let depthMax = JSONParser.depthMax / 2

    package enum Verdict: Sendable {
        case samples(Batch, Block)
        /// A document or an event, with its `type`, and with the receipt if it is one.
        case document(Batch, type: String, body: JSONValue, receipt: EvictionReceipt?)
        case presence(DeviceId, isOnline: Bool)
        /// The header can be read, so that the device can be told which batch is meant.
        case refused(DeviceId, Batch, Refusal)
        /// Not even the header can be read.
        case unreadable(DeviceId, Refusal)
        /// Not a topic of ours.
        case foreign
    }

    /// - Parameter now: UTC, milliseconds since 1970.
    package static func judge(topic: String, bytes: [UInt8], now: Int64) -> Verdict {
        guard let (device, leaf) = Topic.parse(topic) else { return .foreign }
        switch leaf {
        case "up": return judge(bytes, from: device, now: now)
        case "status": return presence(bytes, of: device)
        default: return .foreign
        }
    }

    private static func judge(_ bytes: [UInt8], from device: DeviceId, now: Int64) -> Verdict {
        let batch: Batch
        do throws(DecodingError) { batch = try Batch(decoding: bytes) } catch {
            return .unreadable(device, Refusal(.undecodable(error.reason.name), error.description))
        }
        do throws(Refusal) {
            guard batch.device == device else { throw Refusal(.foreignDevice, "the batch is " + batch.device.text + "'s") }
            return try content(batch, now: now)
        } catch { return .refused(device, batch, error) }
    }

    private static func content(_ batch: Batch, now: Int64) throws(Refusal) -> Verdict {
        switch batch.kind {
        case .samples:
            let block: Block
            do throws(DecodingError) { block = try Block(decoding: batch.payload) } catch {
                throw Refusal(.undecodable(error.reason.name), error.description)
            }
            try checkTimes(block, now: now)
            return .samples(batch, block)
        case .document, .event:
            let body: JSONValue
            do throws(JSONError) { body = try JSONParser.parse(batch.payload, depthMax: depthMax) } catch {
                throw Refusal(.notDocument, error.description)
            }
            guard let type = body["type"]?.text, !type.isEmpty else { throw Refusal(.notDocument, "no object with a type") }
            try checkTimes(of: body, sealedAt: batch.sealedAt, now: now)
            let isReceipt = batch.kind == .event && type == EvictionReceipt.documentType
            return .document(batch, type: type, body: body, receipt: isReceipt ? try EvictionReceipt(body, of: batch, now: now) : nil)
        }
    }

    private static func checkTimes(_ block: Block, now: Int64) throws(Refusal) {
        for at in block.timestamps { try check(at, "a tick", now: now) }
    }

    /// A document from a clock far ahead would stand in the way of all that come after it, since services keep the newest.
    private static func checkTimes(of body: JSONValue, sealedAt: Int64, now: Int64) throws(Refusal) {
        try check(sealedAt, "the batch's time", now: now)
        if let scan = body["scan"]?.integer { try check(scan, "the scan", now: now) }
        if let at = body["at"]?.text.flatMap(Timestamp.parse) { try check(at, "the document's time", now: now) }
    }

    private static func check(_ at: Int64, _ what: String, now: Int64) throws(Refusal) {
        guard at >= timeMin else { throw Refusal(.tooEarly, what + " is before 2020") }
        guard at <= now + aheadMax else { throw Refusal(.tooLate, what + " is more than a day ahead") }
    }

    private static func presence(_ bytes: [UInt8], of device: DeviceId) -> Verdict {
        switch String(decoding: bytes.prefix(16), as: UTF8.self) {
        case "online": .presence(device, isOnline: true)
        case "offline": .presence(device, isOnline: false)
        default: .foreign
        }
    }
}
