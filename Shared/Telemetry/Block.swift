/// Many ticks, encoded by columns: one of timestamps, one a series. The same bytes are the buffer's row, the payload of a
/// batch and the embedded store's record. The bytes are laid out in `Shared/README.md`.
package struct Block: Equatable, Sendable {
    package static let ticksMax = 65_536
    package static let columnsMax = 4_096
    /// Ticks times columns: a block of few bytes must not unfold into gigabytes.
    package static let samplesMax = 1 << 20
    package static let labelsMax = 32
    /// A series' metric name, label names and values together, in bytes.
    package static let seriesBytesMax = 2_048

    static let format: UInt8 = 1
    private static let presenceFlag: UInt8 = 0x80

    /// The values of one series.
    package struct Column: Equatable, Sendable {
        package let series: Series
        /// For each tick whether there is a value; nil when there is one at every tick.
        package let presence: [Bool]?
        /// The values that are there, in the order of their ticks; at least one.
        package let values: [Double]
    }

    /// One a tick, UTC, milliseconds since 1970, in the order the ticks were taken.
    package let timestamps: [Int64]
    package let columns: [Column]

    /// Samples in all: the values that are there.
    package var sampleCount: Int { columns.reduce(0) { $0 + $1.values.count } }

    /// Turns ticks, at least one, into columns; series stand in the order of their first appearance. A series that comes twice in a tick
    /// keeps its first value; one whose name the format cannot carry is left out.
    package init(_ ticks: [Tick]) {
        precondition(!ticks.isEmpty && ticks.count <= Self.ticksMax, "a block has 1…ticksMax ticks")
        timestamps = ticks.map { $0.at }
        var builder = ColumnBuilder(tickCount: ticks.count)
        for (index, tick) in ticks.enumerated() { builder.add(tick.readings, at: index) }
        columns = builder.columns()
    }

    package func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 256 + sampleCount)
        writer.byte(Self.format)
        writer.varint(UInt64(timestamps.count))
        writer.varint(UInt64(columns.count))
        encodeTimestamps(into: &writer)
        var previousKey: [UInt8] = []
        for column in columns {
            let key = SeriesKey.bytes(of: column.series)
            let shared = zip(previousKey, key).prefix { $0 == $1 }.count
            writer.varint(UInt64(shared))
            writer.varint(UInt64(key.count - shared))
            writer.append(key[shared...])
            previousKey = key
            let (encoding, payload) = ColumnEncoding.encode(column.values)
            writer.byte(encoding.rawValue | (column.presence == nil ? 0 : Self.presenceFlag))
            if let presence = column.presence {
                var bits = BitWriter()
                for isPresent in presence { bits.write(isPresent ? 1 : 0, count: 1) }
                writer.append(bits.finish())
            }
            writer.append(payload)
        }
        return writer.bytes
    }

    /// The first timestamp, then differences of differences: zeros for a steady interval.
    private func encodeTimestamps(into writer: inout ByteWriter) {
        writer.signed(timestamps[0])
        var differences: [Int64] = []
        differences.reserveCapacity(timestamps.count)
        var step: Int64 = 0
        for index in timestamps.indices.dropFirst() {
            let next = timestamps[index] &- timestamps[index - 1]
            differences.append(next &- step)
            step = next
        }
        PackedIntegers.encode(differences[...], into: &writer)
    }

    package init(decoding bytes: ArraySlice<UInt8>) throws(DecodingError) {
        var reader = ByteReader(bytes)
        guard try reader.byte("block.format") == Self.format else { throw DecodingError(.unknownVersion, "block.format") }
        let tickCount = try reader.count("block.ticks", max: Self.ticksMax)
        let columnCount = try reader.count("block.columns", max: Self.columnsMax)
        guard tickCount >= 1 else { throw DecodingError(.badNumber, "block.ticks") }
        guard tickCount * columnCount <= Self.samplesMax else { throw DecodingError(.tooLarge, "block.columns") }
        timestamps = try Self.decodeTimestamps(tickCount, from: &reader)
        var columns: [Column] = []
        columns.reserveCapacity(min(columnCount, bytes.count))
        var key: [UInt8] = []
        var hashes: Set<UInt64> = []
        for _ in 0..<columnCount {
            let column = try Self.column(tickCount, &key, &reader)
            // Only where the hashes of two keys are the same are the series compared.
            if !hashes.insert(SeriesKey.hash(key)).inserted, columns.contains(where: { $0.series == column.series }) {
                throw DecodingError(.duplicateSeries, "block.series")
            }
            columns.append(column)
        }
        self.columns = columns
        guard reader.isAtEnd else { throw DecodingError(.trailingBytes, "block") }
    }

    private static func decodeTimestamps(_ count: Int, from reader: inout ByteReader) throws(DecodingError) -> [Int64] {
        var at = try reader.signed("block.timestamps")
        var timestamps = [at]
        timestamps.reserveCapacity(count)
        var step: Int64 = 0
        for difference in try PackedIntegers.decode(count - 1, from: &reader, "block.timestamps") {
            step &+= difference
            at &+= step
            timestamps.append(at)
        }
        return timestamps
    }

    private static func column(_ tickCount: Int, _ key: inout [UInt8], _ reader: inout ByteReader) throws(DecodingError) -> Column {
        let shared = try reader.count("block.series", max: key.count)
        let rest = try reader.count("block.series", max: seriesBytesMax - shared)
        key.removeSubrange(shared...)
        key += try reader.take(rest, "block.series")
        let series = try SeriesKey.series(key)
        let tag = try reader.byte("block.encoding")
        guard let encoding = ColumnEncoding(rawValue: tag & ~presenceFlag) else { throw DecodingError(.unknownEncoding, "block.encoding") }
        guard tag & presenceFlag != 0 else {
            return Column(series: series, presence: nil, values: try encoding.decode(tickCount, from: &reader))
        }
        var bits = BitReader(try reader.take((tickCount + 7) / 8, "block.presence"))
        var presence: [Bool] = []
        presence.reserveCapacity(tickCount)
        var present = 0
        for _ in 0..<tickCount {
            let bit = try bits.read(1, "block.presence")
            presence.append(bit == 1)
            present += Int(bit)
        }
        guard present >= 1, bits.isPaddedWithZeros else { throw DecodingError(.badNumber, "block.presence") }
        return Column(series: series, presence: presence, values: try encoding.decode(present, from: &reader))
    }

    /// The ticks again, each with the values it has.
    package func ticks() -> [Tick] {
        var ticks = timestamps.map { Tick(at: $0, readings: []) }
        for column in columns {
            column.forEach { tick, value in ticks[tick].readings.append(Reading(column.series, value)) }
        }
        return ticks
    }
}

extension Block.Column {
    /// Each value that is there, with the index of its tick.
    package func forEach(_ body: (_ tick: Int, _ value: Double) -> Void) {
        guard let presence else {
            for (tick, value) in values.enumerated() { body(tick, value) }
            return
        }
        var next = 0
        for (tick, isPresent) in presence.enumerated() where isPresent {
            body(tick, values[next])
            next += 1
        }
    }
}

/// Columns being filled tick by tick.
private struct ColumnBuilder {
    private struct Open {
        let series: Series
        var values: [Double] = []
        var ticks: [Int] = []
    }

    private let tickCount: Int
    private var open: [Open] = []
    /// Where each series' column is; nil for a series that the format cannot carry.
    private var indexOf: [Series: Int?] = [:]

    init(tickCount: Int) { self.tickCount = tickCount }

    mutating func add(_ readings: [Reading], at tick: Int) {
        for (position, reading) in readings.enumerated() {
            // Ticks of one machine list the same series in the same order nearly always, which spares the look-up.
            let isInPlace = position < open.count && open[position].series == reading.series
            guard let index = isInPlace ? position : index(of: reading.series), open[index].ticks.last != tick else { continue }
            open[index].ticks.append(tick)
            open[index].values.append(reading.value)
        }
    }

    private mutating func index(of series: Series) -> Int? {
        if let known = indexOf[series] { return known }
        let isEncodable = open.count < Block.columnsMax && SeriesKey.isEncodable(series)
        let index = isEncodable ? open.count : nil
        indexOf[series] = .some(index)
        if isEncodable { open.append(Open(series: series)) }
        return index
    }

    func columns() -> [Block.Column] {
        open.map { column in
            guard column.ticks.count < tickCount else { return Block.Column(series: column.series, presence: nil, values: column.values) }
            var presence = [Bool](repeating: false, count: tickCount)
            for tick in column.ticks { presence[tick] = true }
            return Block.Column(series: column.series, presence: presence, values: column.values)
        }
    }
}

/// A series as one run of bytes: the metric, then for each label its name and value, all parted by zero bytes.
package enum SeriesKey {
    package static func bytes(of series: Series) -> [UInt8] {
        var key = Array(series.metric.utf8)
        for label in series.labels {
            key.append(0)
            key += label.name.utf8
            key.append(0)
            key += label.value.utf8
        }
        return key
    }

    /// FNV-1a, 64 bits (draft-eastlake-fnv): cheap, and no matter of trust, since equal hashes are looked at.
    static func hash(_ key: [UInt8]) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in key { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return hash
    }

    /// Whether the key comes back as the same series: short enough, legal names, no zero bytes in values.
    package static func isEncodable(_ series: Series) -> Bool {
        let key = bytes(of: series)
        guard key.count <= Block.seriesBytesMax, let decoded = try? self.series(key) else { return false }
        return decoded == series
    }

    package static func series(_ key: [UInt8]) throws(DecodingError) -> Series {
        var parts: [String] = []
        for part in key.split(separator: 0, omittingEmptySubsequences: false) {
            guard let text = String(validating: part, as: UTF8.self) else { throw DecodingError(.badText, "block.series") }
            parts.append(text)
        }
        guard parts.count % 2 == 1, parts.count <= 1 + 2 * Block.labelsMax, isName(parts[0], allowsColon: true) else {
            throw DecodingError(.badText, "block.series")
        }
        var labels: [Label] = []
        for index in stride(from: 1, to: parts.count, by: 2) {
            guard isName(parts[index], allowsColon: false) else { throw DecodingError(.badText, "block.series") }
            guard !labels.contains(where: { $0.name == parts[index] }) else { throw DecodingError(.badText, "block.series") }
            labels.append(Label(parts[index], parts[index + 1]))
        }
        return Series(parts[0], labels)
    }

    /// Prometheus' data model: `[a-zA-Z_:][a-zA-Z0-9_:]*` for metrics, the same without colons for labels.
    private static func isName(_ text: String, allowsColon: Bool) -> Bool {
        var isFirst = true
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): break
            case UInt8(ascii: ":"): if !allowsColon { return false }
            case UInt8(ascii: "0")...UInt8(ascii: "9"): if isFirst { return false }
            default: return false
            }
            isFirst = false
        }
        return !isFirst
    }
}
