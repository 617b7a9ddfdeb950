/// Writes the series of a block's columns: known or earlier shapes and label values by number, others as text.
struct SchemaWriter {
    private var writer = ByteWriter()
    /// Numbers by the key of the names, and by the value's bytes.
    private static let knownShapes = numbered(KnownNames.shapes.map { key($0.metric, $0.labels) }, from: KnownNames.firstShape)
    private static let knownValues = numbered(KnownNames.values.map { Array($0.utf8) }, from: KnownNames.firstValue)
    private var shapes: [[UInt8]: Int] = [:]
    private var values: [[UInt8]: Int] = [:]
    /// The numbers of shapes by their labels' names alone.
    private var shapesOfLabels: [[UInt8]: Int] = [:]
    private var metricText = FrontCoding()
    private var labelText = FrontCoding()
    private var valueText = FrontCoding()
    private var previous: [Label] = []

    /// Writes the length and, in the lowest bit, whether the bytes are coded; then the bytes.
    func write(into block: inout ByteWriter) {
        let coded = TextCode.encode(writer.bytes)
        let isCoded = coded.count < writer.bytes.count
        let bytes = isCoded ? coded : writer.bytes
        block.varint(UInt64(bytes.count) << 1 | (isCoded ? 1 : 0))
        block.append(bytes)
    }

    private static func numbered(_ keys: [[UInt8]], from first: Int) -> [[UInt8]: Int] {
        var numbers: [[UInt8]: Int] = [:]
        for (index, key) in keys.enumerated() { numbers[key] = first + index }
        return numbers
    }

    mutating func add(_ series: Series) {
        addShape(series)
        addValues(of: series.labels)
        previous = series.labels
    }

    private mutating func addShape(_ series: Series) {
        let names = series.labels.map { $0.name }
        let key = Self.key(series.metric, names)
        if let number = Self.knownShapes[key] ?? shapes[key] {
            writer.varint(UInt64(number))
            return
        }
        let number = KnownNames.shapesMax + shapes.count
        shapes[key] = number
        writer.varint(UInt64(KnownNames.new))
        metricText.write(Array(series.metric.utf8), into: &writer)
        addLabelNames(names, number)
    }

    /// By the number of a shape of this block that has the same, or one by one.
    private mutating func addLabelNames(_ names: [String], _ number: Int) {
        let key = Self.key("", names)
        if let same = shapesOfLabels[key] {
            writer.varint(UInt64(Block.labelsMax + 1 + same - KnownNames.shapesMax))
            return
        }
        shapesOfLabels[key] = number
        writer.varint(UInt64(names.count))
        for name in names { labelText.write(Array(name.utf8), into: &writer) }
    }

    private mutating func addValues(of labels: [Label]) {
        // From where on they are those of the column before.
        var same = labels.count
        if previous.count == labels.count { while same > 0, previous[same - 1].value.utf8.elementsEqual(labels[same - 1].value.utf8) { same -= 1 } }
        for label in labels[..<same] { addValue(Array(label.value.utf8)) }
        if same < labels.count { writer.varint(UInt64(KnownNames.asBefore)) }
    }

    private mutating func addValue(_ value: [UInt8]) {
        if let number = Self.knownValues[value] ?? values[value] {
            writer.varint(UInt64(number))
            return
        }
        values[value] = KnownNames.valuesMax + values.count
        writer.varint(UInt64(KnownNames.new))
        valueText.write(value, into: &writer)
    }

    private static func key(_ metric: String, _ labels: [String]) -> [UInt8] {
        var key = Array(metric.utf8)
        for label in labels {
            key.append(0)
            key += label.utf8
        }
        return key
    }
}
