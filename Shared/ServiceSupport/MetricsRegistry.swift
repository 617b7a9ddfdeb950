import Synchronization

/// The metrics of a daemon, rendered for Prometheus. A name is registered once; what is returned is kept by whoever counts.
package final class MetricsRegistry: Sendable {
    /// Series of one metric; what comes later is counted under the label value `other`.
    package static let seriesMax = 1_000
    /// Seconds, for durations from a millisecond to half a minute.
    package static let durationBounds: [Double] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

    /// A metric that is computed when it is asked for.
    private struct Reader: Sendable {
        let name: String
        let help: String
        let kind: MetricFamily.Kind
        let read: @Sendable () -> Double?
    }

    private struct State {
        var families: [MetricFamily] = []
        var readers: [Reader] = []
        var names: Set<String> = []
    }

    private let state = Mutex(State())

    package init() {}

    /// Something that only grows; its name ends in `_total`.
    package func counter(_ name: String, _ help: String, labels: [String] = []) -> Counter {
        precondition(name.hasSuffix("_total"), "a counter's name ends in _total")
        return Counter(family: register(MetricFamily(name: name, help: help, kind: .counter, labelNames: labels)))
    }

    /// Something that goes up and down.
    package func gauge(_ name: String, _ help: String, labels: [String] = []) -> Gauge {
        Gauge(family: register(MetricFamily(name: name, help: help, kind: .gauge, labelNames: labels)))
    }

    /// How observations are spread over buckets with these upper bounds.
    package func histogram(_ name: String, _ help: String, labels: [String] = [], bounds: [Double] = durationBounds) -> Histogram {
        precondition(!bounds.isEmpty && bounds == bounds.sorted(), "a histogram's bounds rise")
        return Histogram(family: register(MetricFamily(name: name, help: help, kind: .histogram, labelNames: labels, bounds: bounds)))
    }

    /// A gauge whose value is asked for at each rendering; nil leaves it out.
    package func gauge(_ name: String, _ help: String, read: @escaping @Sendable () -> Double?) {
        register(Reader(name: name, help: help, kind: .gauge, read: read))
    }

    /// A counter whose value is asked for at each rendering; nil leaves it out.
    package func counter(_ name: String, _ help: String, read: @escaping @Sendable () -> Double?) {
        precondition(name.hasSuffix("_total"), "a counter's name ends in _total")
        register(Reader(name: name, help: help, kind: .counter, read: read))
    }

    private func register(_ family: MetricFamily) -> MetricFamily {
        state.withLock { state in
            precondition(state.names.insert(family.name).inserted, "a metric is registered once")
            state.families.append(family)
        }
        return family
    }

    private func register(_ reader: Reader) {
        state.withLock { state in
            precondition(state.names.insert(reader.name).inserted, "a metric is registered once")
            state.readers.append(reader)
        }
    }

    /// Everything in Prometheus' text format 0.0.4.
    package func render() -> String {
        let (families, readers) = state.withLock { ($0.families, $0.readers) }
        var text = ""
        for family in families { family.render(into: &text) }
        for reader in readers {
            guard let value = reader.read() else { continue }
            MetricText.header(reader.name, reader.help, reader.kind.rawValue, into: &text)
            MetricText.sample(reader.name, [], value, into: &text)
        }
        return text
    }
}

/// Something that only grows.
package struct Counter: Sendable {
    let family: MetricFamily

    /// Adds to the series with these label values, in the order the labels were registered.
    package func add(_ amount: Double = 1, _ labels: String...) {
        precondition(amount >= 0, "a counter only grows")
        family.update(labels) { $0.value += amount }
    }

    package func value(_ labels: String...) -> Double { family.value(labels)?.value ?? 0 }
}

/// Something that goes up and down.
package struct Gauge: Sendable {
    let family: MetricFamily

    package func set(_ value: Double, _ labels: String...) { family.update(labels) { $0.value = value } }
    package func add(_ amount: Double, _ labels: String...) { family.update(labels) { $0.value += amount } }
    package func value(_ labels: String...) -> Double { family.value(labels)?.value ?? 0 }
}

/// How observations are spread.
package struct Histogram: Sendable {
    let family: MetricFamily

    package func observe(_ value: Double, _ labels: String...) {
        let bucket = family.bounds.firstIndex { value <= $0 } ?? family.bounds.count
        family.update(labels) { cell in
            cell.value += value
            cell.buckets[bucket] += 1
        }
    }

    package func count(_ labels: String...) -> UInt64 { family.value(labels)?.buckets.reduce(0, +) ?? 0 }
}
