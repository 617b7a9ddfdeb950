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
    static func isName(_ text: String, allowsColon: Bool) -> Bool {
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
