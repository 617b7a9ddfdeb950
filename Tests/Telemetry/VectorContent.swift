import Foundation
import Telemetry

/// What a vector holds, as its JSON file says it.
struct VectorContent: Decodable {
    let block: BlockContent?
    let batch: BatchContent?
    let acknowledgement: AcknowledgementContent?
    /// Of the independent decoder only.
    let file: String?
    let features: [String]?

    func encoded() -> [UInt8] { block?.block.encoded() ?? batch?.batch.encoded() ?? acknowledgement!.acknowledgement.encoded() }

    func isIdentical(to other: VectorContent) -> Bool {
        switch (block, other.block) {
        case (let block?, let other?): block.block.isIdentical(to: other.block)
        case (nil, nil): batch?.batch == other.batch?.batch && acknowledgement?.acknowledgement == other.acknowledgement?.acknowledgement
        default: false
        }
    }
}

struct BlockContent: Decodable {
    struct Column: Decodable {
        let metric: String
        let labels: [[String]]
        let values: [ExactValue?]

        var series: Series { Series(metric, labels.map { Label($0[0], $0[1]) }) }
    }

    let timestamps: [Int64]
    let columns: [Column]

    var block: Block {
        // Through ticks, whose series stand in the order of their first appearance, so columns are put back in the file's order.
        var ticks = timestamps.map { Tick(at: $0, readings: []) }
        for column in columns {
            for (index, value) in column.values.enumerated() { if let value { ticks[index].readings.append(Reading(column.series, value.value)) } }
        }
        return Block(ticks)
    }
}

/// A number, or the bit pattern of what JSON has no number for.
struct ExactValue: Decodable {
    let value: Double

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            value = Double(bitPattern: try text.hexadecimal(decoder))
        } else {
            value = try container.decode(Double.self)
        }
    }
}

struct BatchContent: Decodable {
    struct Origin: Decodable {
        let stream: HexadecimalNumber
        let sequence: UInt64
    }

    let kind: String
    let priority: UInt8
    let device: String
    let stream: HexadecimalNumber
    let sequence: UInt64
    let span: UInt64
    let resolution: Int
    let origin: Origin?
    let sealed_at: Int64
    let payload: String

    var batch: Batch {
        let kinds: [String: BatchKind] = ["samples": .samples, "document": .document, "event": .event]
        let bytes = stride(from: 0, to: payload.count, by: 2).map { UInt8(payload.dropFirst($0).prefix(2), radix: 16)! }
        return Batch(
            kind: kinds[kind]!, priority: priority, device: DeviceId(device)!, stream: stream.number, sequence: sequence, span: span,
            resolution: resolution, origin: origin.map { Batch.Origin(stream: $0.stream.number, sequence: $0.sequence) }, sealedAt: sealed_at,
            payload: bytes[...])
    }
}

struct AcknowledgementContent: Decodable {
    struct Run: Decodable {
        let first: UInt64
        let count: UInt64
        let outcome: String
        let reason: String?
    }

    let stream: HexadecimalNumber
    let pace: Int
    let runs: [Run]

    var acknowledgement: Acknowledgement {
        Acknowledgement(
            stream: stream.number, pace: pace == 0 ? nil : pace,
            runs: runs.map { .init(first: $0.first, count: $0.count, outcome: $0.reason.map { .refused(reason: $0) } ?? .committed) })
    }
}

struct HexadecimalNumber: Decodable {
    let number: UInt64

    init(from decoder: any Decoder) throws { number = try decoder.singleValueContainer().decode(String.self).hexadecimal(decoder) }
}

extension String {
    fileprivate func hexadecimal(_ decoder: any Decoder) throws -> UInt64 {
        guard hasPrefix("0x"), let number = UInt64(dropFirst(2), radix: 16) else {
            throw Swift.DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "no hexadecimal number"))
        }
        return number
    }
}

extension Block {
    /// Equal to the bit, where NaN is NaN; columns in any order.
    func isIdentical(to other: Block) -> Bool {
        func byName(_ block: Block) -> [Column] { block.columns.sorted { $0.series.description < $1.series.description } }
        return timestamps == other.timestamps && columns.count == other.columns.count
            && zip(byName(self), byName(other)).allSatisfy {
                $0.series == $1.series && $0.presence == $1.presence && $0.values.map(\.bitPattern) == $1.values.map(\.bitPattern)
            }
    }
}
