/// A label of a series.
package struct Label: Hashable, Sendable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// What identifies a line of samples: a metric's name and its labels, in the order they were given.
package struct Series: Hashable, Sendable, CustomStringConvertible {
    package let metric: String
    package let labels: [Label]

    package init(_ metric: String, _ labels: [Label] = []) {
        self.metric = metric
        self.labels = labels
    }

    /// `disk_usage{mount="/"}`, as Prometheus writes it.
    package var description: String {
        guard !labels.isEmpty else { return metric }
        var text = metric + "{"
        for (index, label) in labels.enumerated() {
            if index > 0 { text += "," }
            text += label.name + "=\""
            for scalar in label.value.unicodeScalars {
                switch scalar {
                case "\\": text += "\\\\"
                case "\"": text += "\\\""
                case "\n": text += "\\n"
                default: text.unicodeScalars.append(scalar)
                }
            }
            text += "\""
        }
        return text + "}"
    }
}

/// One value of one series at a tick.
package struct Reading: Equatable, Sendable {
    package let series: Series
    package let value: Double

    package init(_ series: Series, _ value: Double) {
        self.series = series
        self.value = value
    }
}

/// One sampling instant: a timestamp and the values taken then.
package struct Tick: Equatable, Sendable {
    /// UTC, milliseconds since 1970.
    package var at: Int64
    package var readings: [Reading]

    package init(at: Int64, readings: [Reading]) {
        self.at = at
        self.readings = readings
    }
}
