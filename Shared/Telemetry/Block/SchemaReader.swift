/// Reads what `SchemaWriter` wrote.
struct SchemaReader {
    private var reader: ByteReader
    private var shapes: [Shape] = []
    private var values: [Value] = []
    private var hashes: [UInt64] = []
    private var series: [Series] = []
    private var metricText = FrontCoding()
    private var labelText = FrontCoding()
    private var valueText = FrontCoding()
    /// The label values of the column before, and whether the column at hand has as many.
    private var previous: [Value] = []
    private var isSameLength = false

    private struct Shape {
        let names: SeriesShape
        let byteCount: Int
        let hash: UInt64
    }

    private struct Value {
        let text: String
        let byteCount: Int
        let hash: UInt64
    }

    private static let knownShapes = KnownNames.shapes.map { shape(of: $0) }
    private static let knownValues = KnownNames.values.map { Value(text: $0, byteCount: $0.utf8.count, hash: hash($0)) }

    /// The series of `count` columns, none of them twice.
    static func series(_ count: Int, from block: inout ByteReader) throws(DecodingError) -> [Series] {
        let head = try block.count("block.series", max: block.remaining << 1 | 1)
        var bytes = try block.take(head >> 1, "block.series")
        if head & 1 == 1 {
            guard let decoded = TextCode.decode(bytes) else { throw DecodingError(.truncated, "block.series") }
            bytes = decoded[...]
        }
        var schema = SchemaReader(reader: ByteReader(bytes))
        schema.series.reserveCapacity(min(count, bytes.count))
        for _ in 0..<count { try schema.readSeries() }
        guard schema.reader.isAtEnd else { throw DecodingError(.trailingBytes, "block.series") }
        guard !schema.hasDuplicate() else { throw DecodingError(.duplicateSeries, "block.series") }
        return schema.series
    }

    private init(reader: ByteReader) { self.reader = reader }

    private mutating func readSeries() throws(DecodingError) {
        let shape = try readShape()
        var byteCount = shape.byteCount
        var hash = shape.hash
        var latest: [Value] = []
        var labels: [Label] = []
        isSameLength = shape.names.labels.count == previous.count
        labels.reserveCapacity(shape.names.labels.count)
        var isAsBefore = false
        for (index, name) in shape.names.labels.enumerated() {
            let value = try readValue(index, &isAsBefore)
            byteCount += 1 + value.byteCount
            hash = (hash ^ value.hash) &* Self.hashPrime
            labels.append(Label(name, value.text))
            latest.append(value)
        }
        previous = latest
        guard byteCount <= Block.seriesBytesMax else { throw DecodingError(.tooLarge, "block.series") }
        hashes.append(hash)
        series.append(Series(shape.names.metric, labels))
    }

    private mutating func readShape() throws(DecodingError) -> Shape {
        let number = try reader.count("block.series", max: KnownNames.shapesMax + shapes.count - 1)
        if number >= KnownNames.shapesMax { return shapes[number - KnownNames.shapesMax] }
        if number != KnownNames.new {
            guard number - KnownNames.firstShape < Self.knownShapes.count else { throw DecodingError(.unknownName, "block.series") }
            return Self.knownShapes[number - KnownNames.firstShape]
        }
        let metric = try metricText.read(from: &reader)
        guard SeriesKey.isName(metric, allowsColon: true) else { throw DecodingError(.badText, "block.series") }
        let labels = try readLabelNames()
        let shape = Self.shape(of: SeriesShape(metric, labels))
        shapes.append(shape)
        return shape
    }

    private mutating func readLabelNames() throws(DecodingError) -> [String] {
        let number = try reader.count("block.series", max: Block.labelsMax + shapes.count)
        if number > Block.labelsMax { return shapes[number - Block.labelsMax - 1].names.labels }
        var labels: [String] = []
        for _ in 0..<number {
            let label = try labelText.read(from: &reader)
            guard SeriesKey.isName(label, allowsColon: false), !labels.contains(label) else { throw DecodingError(.badText, "block.series") }
            labels.append(label)
        }
        return labels
    }

    private mutating func readValue(_ index: Int, _ isAsBefore: inout Bool) throws(DecodingError) -> Value {
        if isAsBefore { return previous[index] }
        let number = try reader.count("block.series", max: KnownNames.valuesMax + values.count - 1)
        if number >= KnownNames.valuesMax { return values[number - KnownNames.valuesMax] }
        if number == KnownNames.asBefore {
            guard isSameLength else { throw DecodingError(.badNumber, "block.series") }
            isAsBefore = true
            return previous[index]
        }
        if number != KnownNames.new {
            guard number - KnownNames.firstValue < Self.knownValues.count else { throw DecodingError(.unknownName, "block.series") }
            return Self.knownValues[number - KnownNames.firstValue]
        }
        let text = try valueText.read(from: &reader)
        let value = Value(text: text, byteCount: text.utf8.count, hash: Self.hash(text))
        values.append(value)
        return value
    }

    // MARK: Finding duplicates

    /// Only where two hashes are the same are the series compared.
    private func hasDuplicate() -> Bool {
        let sorted = hashes.sorted()
        var isSuspicious = false
        for index in sorted.indices.dropFirst() where sorted[index] == sorted[index - 1] { isSuspicious = true }
        return isSuspicious && Set(series).count < series.count
    }

    private static let hashPrime: UInt64 = 0x100_0000_01B3

    /// FNV-1a, 64 bits (draft-eastlake-fnv): cheap, and no matter of trust.
    private static func hash(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* hashPrime }
        return hash
    }

    private static func shape(of names: SeriesShape) -> Shape {
        var byteCount = names.metric.utf8.count
        var hash = hash(names.metric)
        for label in names.labels {
            byteCount += 1 + label.utf8.count
            hash = (hash ^ Self.hash(label)) &* hashPrime
        }
        return Shape(names: names, byteCount: byteCount, hash: hash)
    }
}
