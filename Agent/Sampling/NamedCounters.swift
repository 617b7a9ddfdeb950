import Telemetry

/// A pair of counters for each of a kernel's named things (disks, interfaces), with their series made once, when a name is first seen.
struct NamedCounters {
    private struct Entry {
        let name: [UInt8]
        let first: Series
        let second: Series
        var wasSeen: Bool
    }

    private let metrics: (first: String, second: String)
    private let label: String
    private let entriesMax: Int
    private var entries: [Entry] = []
    /// Where the next line's name is looked for first: the kernel lists things in the same order every time.
    private var expected = 0

    init(_ first: String, _ second: String, label: String, entriesMax: Int) {
        metrics = (first, second)
        self.label = label
        self.entriesMax = entriesMax
    }

    /// Starts a reading of the kernel's list.
    mutating func begin() { expected = 0 }

    /// Adds the two counters of the thing named at `range`; things beyond `entriesMax` are left out.
    mutating func add(_ range: Range<Int>, of text: Span<UInt8>, _ first: Double, _ second: Double, into readings: inout [Reading]) {
        guard let index = index(of: range, in: text) else { return }
        expected = index + 1
        entries[index].wasSeen = true
        readings.append(Reading(entries[index].first, first))
        readings.append(Reading(entries[index].second, second))
    }

    /// Forgets the things that were not seen since this was called last, so that unplugged ones do not use up the bound.
    mutating func forgetMissing() {
        entries.removeAll { !$0.wasSeen }
        for index in entries.indices { entries[index].wasSeen = false }
    }

    private mutating func index(of range: Range<Int>, in text: Span<UInt8>) -> Int? {
        if expected < entries.count, text.holds(entries[expected].name, at: range) { return expected }
        for index in entries.indices where text.holds(entries[index].name, at: range) { return index }
        guard entries.count < entriesMax else { return nil }
        let name = text.bytes(range)
        let labels = [Label(label, LabelText.of(name))]
        entries.append(Entry(name: name, first: Series(metrics.first, labels), second: Series(metrics.second, labels), wasSeen: true))
        return entries.count - 1
    }
}
