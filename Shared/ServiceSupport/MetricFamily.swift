import Synchronization

/// All series of one metric: its name, help, type and a value for each combination of label values.
final class MetricFamily: Sendable {
    enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    /// A plain value, or a histogram's buckets.
    struct Cell {
        var value = 0.0
        /// Observations by bucket, not cumulated; the last is above every bound.
        var buckets: [UInt64] = []
    }

    let name: String
    let help: String
    let kind: Kind
    let labelNames: [String]
    /// Upper bounds of a histogram's buckets, rising.
    let bounds: [Double]
    private let cells = Mutex<[[String]: Cell]>([:])

    init(name: String, help: String, kind: Kind, labelNames: [String], bounds: [Double] = []) {
        self.name = name
        self.help = help
        self.kind = kind
        self.labelNames = labelNames
        self.bounds = bounds
        // Without labels there is one series, and it is there from the start.
        if labelNames.isEmpty { update([]) { _ in } }
    }

    func update(_ labels: [String], _ change: (inout Cell) -> Void) {
        precondition(labels.count == labelNames.count, "a metric has a value for each of its labels")
        cells.withLock { cells in
            // Past the bound everything new is counted together: metrics never grow with what devices send.
            let isNew = cells[labels] == nil
            let key = isNew && cells.count >= MetricsRegistry.seriesMax ? [String](repeating: "other", count: labels.count) : labels
            change(&cells[key, default: Cell(buckets: bounds.isEmpty ? [] : [UInt64](repeating: 0, count: bounds.count + 1))])
        }
    }

    func value(_ labels: [String]) -> Cell? { cells.withLock { $0[labels] } }

    // MARK: The text format, version 0.0.4

    func render(into text: inout String) {
        let snapshot = cells.withLock { $0 }
        guard !snapshot.isEmpty else { return }
        MetricText.header(name, help, kind.rawValue, into: &text)
        for (labels, cell) in snapshot.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            let pairs = Array(zip(labelNames, labels))
            if kind == .histogram { renderHistogram(cell, pairs, into: &text) } else { MetricText.sample(name, pairs, cell.value, into: &text) }
        }
    }

    private func renderHistogram(_ cell: Cell, _ labels: [(String, String)], into text: inout String) {
        var count: UInt64 = 0
        for (index, bound) in (bounds + [.infinity]).enumerated() {
            count += cell.buckets[index]
            MetricText.sample(name + "_bucket", labels + [("le", MetricText.number(bound))], Double(count), into: &text)
        }
        MetricText.sample(name + "_sum", labels, cell.value, into: &text)
        MetricText.sample(name + "_count", labels, Double(count), into: &text)
    }
}

/// The lines of Prometheus' text format: <https://prometheus.io/docs/instrumenting/exposition_formats/>.
enum MetricText {
    static func header(_ name: String, _ help: String, _ kind: String, into text: inout String) {
        text += "# HELP " + name + " " + escaped(help, quotes: false) + "\n"
        text += "# TYPE " + name + " " + kind + "\n"
    }

    static func sample(_ name: String, _ labels: [(String, String)], _ value: Double, into text: inout String) {
        text += name
        if !labels.isEmpty {
            text += "{" + labels.map { $0 + "=\"" + escaped($1, quotes: true) + "\"" }.joined(separator: ",") + "}"
        }
        text += " " + number(value) + "\n"
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return Int64(exactly: value).map(String.init) ?? value.description
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
