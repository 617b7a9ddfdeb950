import SimulatedFleet
import Telemetry

/// What there is to judge one device by.
package struct DeviceEvidence: Sendable {
    package var truth: Truth
    /// Every block of the device in the collector's store.
    package var blocks: [Block] = []
    package var notices = Notices()
    /// Ticks that its buffer still holds.
    package var left: Set<Int> = []
    package var damages: [Damage] = []

    package init(truth: Truth) { self.truth = truth }
}

/// A buffer file was damaged on purpose.
package struct Damage: Sendable {
    /// Ticks that were in the file just before.
    package var ticks: Set<Int>
    /// When: milliseconds since 1970, on a right clock.
    package var at: Int64
    /// Whether the device went on using the file, so that later ticks went into it too.
    package var wasInUse: Bool

    package init(ticks: Set<Int>, at: Int64, wasInUse: Bool) {
        self.ticks = ticks
        self.at = at
        self.wasInUse = wasInUse
    }
}

/// Samples by what became of them.
package struct SampleCounts: Equatable, Sendable, Codable {
    /// Sampled, and put into the buffer or refused by it.
    package var produced = 0
    package var stored = 0
    /// Neither stored nor accounted for by the device.
    package var lost = 0
    /// Stored once more than once.
    package var duplicated = 0
    /// Stored with another value or a wrong time, or never produced.
    package var altered = 0
    package var thinned = 0
    package var evicted = 0
    package var damaged = 0
    package var left = 0

    package init() {}

    package mutating func add(_ other: SampleCounts) {
        produced += other.produced
        stored += other.stored
        lost += other.lost
        duplicated += other.duplicated
        altered += other.altered
        thinned += other.thinned
        evicted += other.evicted
        damaged += other.damaged
        left += other.left
    }
}

/// Compares what a device produced with what is stored of it, sample by sample.
package struct DeviceAccount {
    /// Findings told of a device; more are counted only.
    private static let findingsMax = 5

    package private(set) var counts = SampleCounts()
    package private(set) var findings: [String] = []

    private let evidence: DeviceEvidence
    private let times: TickTimes
    private let indexOf: [Series: Int]
    /// How often each tick is stored as it was sampled.
    private var storedTimes: [Int]
    private var isThinned: [Bool]

    package init(_ evidence: DeviceEvidence) {
        self.evidence = evidence
        times = TickTimes(evidence.truth.ticks)
        let series = evidence.truth.machine.series
        indexOf = Dictionary(uniqueKeysWithValues: zip(series, series.indices))
        storedTimes = Array(repeating: 0, count: evidence.truth.ticks.count)
        isThinned = Array(repeating: false, count: evidence.truth.ticks.count)
        for block in evidence.blocks where block.columns.contains(where: { $0.series == SimulatedMachine.tickSeries }) {
            if !ThinnedBlock.isOne(block) { addRaw(block) }
        }
        for block in evidence.blocks where ThinnedBlock.isOne(block) { addThinned(block) }
        let strangers = evidence.blocks.filter { block in !block.columns.contains { $0.series == SimulatedMachine.tickSeries } }
        for block in strangers { altered(block.sampleCount, "a block at \(block.timestamps[0]) has no series that numbers its ticks") }
        settle()
    }

    private func samples(at tick: Int) -> Int { evidence.truth.machine.readings(at: Int64(tick)).count }

    private mutating func find(_ text: String) { if findings.count < Self.findingsMax { findings.append(text) } }

    private mutating func altered(_ samples: Int, _ text: String) {
        counts.altered += samples
        find(text)
    }

    // MARK: What is stored

    private mutating func addRaw(_ block: Block) {
        // Which tick each of the block's is; nil for one that was never produced.
        var numbers: [Int?] = Array(repeating: nil, count: block.timestamps.count)
        let names = block.columns.first { $0.series == SimulatedMachine.tickSeries }
        names?.forEach { position, value in
            let number = Int(exactly: value) ?? -1
            if storedTimes.indices.contains(number) { numbers[position] = number }
        }
        var missing = Array(repeating: 0, count: block.timestamps.count)
        for (position, number) in numbers.enumerated() {
            guard let number else { continue }
            missing[position] += samples(at: number)
            storedTimes[number] += 1
            if storedTimes[number] > 1 {
                counts.duplicated += samples(at: number)
                find("tick \(number) is stored \(storedTimes[number]) times")
            }
            if !times.allows(block.timestamps[position], of: number) {
                altered(samples(at: number), "tick \(number), taken at \(times.right(number)), is stored at \(block.timestamps[position])")
            }
        }
        for column in block.columns { check(column, numbers, &missing) }
        for (position, count) in missing.enumerated() where count > 0 {
            counts.stored -= count
            // A tick that was in a damaged file may have come out of it without the series whose names could not be read.
            if let number = numbers[position], isDamaged(number) {
                counts.damaged += count
            } else {
                counts.lost += count
                find("\(count) samples are missing in the tick at \(block.timestamps[position]) that is stored")
            }
        }
    }

    /// Compares a column bit for bit, and takes its values of ticks that were produced off what is missing there.
    private mutating func check(_ column: Block.Column, _ numbers: [Int?], _ missing: inout [Int]) {
        let index = indexOf[column.series]
        column.forEach { position, value in
            guard let number = numbers[position] else {
                return altered(1, "\(column.series) at a tick that was never produced")
            }
            guard let index, let right = evidence.truth.machine.value(of: index, at: number) else {
                return altered(1, "\(column.series) at tick \(number), where there was none")
            }
            missing[position] -= 1
            if right.bitPattern != value.bitPattern { altered(1, "\(column.series) at tick \(number) is \(value), not \(right)") }
        }
    }

    private mutating func addThinned(_ block: Block) {
        let thinned = ThinnedBlock(block, machine: evidence.truth.machine)
        for bucket in thinned.buckets {
            guard bucket.first >= 0, bucket.first <= bucket.last, bucket.last < storedTimes.count else {
                altered(bucket.count, "a thinned tick stands for \(bucket.first)…\(bucket.last), which were never produced")
                continue
            }
            let members = (bucket.first...bucket.last).filter {
                storedTimes[$0] == 0 && !isThinned[$0] && evidence.truth.ticks[$0].fate != .unwritten
            }
            if members.count < bucket.count {
                counts.duplicated += (bucket.count - members.count) * samples(at: bucket.first)
                find(
                    "a thinned tick stands for \(bucket.count) of \(bucket.first)…\(bucket.last), but \(members.count) of them are not stored otherwise"
                )
            }
            // Where others of the range are gone, which ones it stands for cannot be told.
            if members.count == bucket.count, let complaint = bucket.complaint(about: members, of: evidence.truth.machine) { altered(1, complaint) }
            for member in members.prefix(bucket.count) { isThinned[member] = true }
        }
    }

    // MARK: What became of each tick

    private mutating func settle() {
        var missing: [Int] = []
        for (number, tick) in evidence.truth.ticks.enumerated() {
            let isFound = storedTimes[number] > 0 || isThinned[number]
            // One that the device could not finish noting counts as produced only if it was.
            guard tick.fate != .unknown || isFound || evidence.left.contains(number) else { continue }
            let samples = samples(at: number)
            counts.produced += samples
            if isThinned[number] {
                counts.thinned += samples
            } else if isFound {
                counts.stored += samples
            } else if evidence.left.contains(number) {
                counts.left += samples
            } else {
                missing.append(number)
            }
        }
        var claims = Claims(evidence.notices.receipts)
        for number in missing {
            let samples = samples(at: number)
            if let receipt = claims.take(times.possible(number)) {
                if receipt.isThinned { counts.thinned += samples } else { counts.evicted += samples }
            } else if isDamaged(number) {
                counts.damaged += samples
            } else {
                counts.lost += samples
                find("tick \(number), taken at \(times.right(number)) (\(evidence.truth.ticks[number].fate)), is nowhere")
            }
        }
    }

    private func isDamaged(_ number: Int) -> Bool {
        evidence.damages.contains { damage in
            let heard = evidence.notices.damageHeardAt.filter { $0 >= damage.at }
            guard let last = heard.max() else { return false }
            if damage.ticks.contains(number) { return true }
            return damage.wasInUse && (damage.at...last).contains(times.right(number))
        }
    }
}

/// Receipts as claims on ticks that are gone: each for so many of them, in its range of time.
private struct Claims {
    /// Between a tick's time and the end of its receipt, in milliseconds.
    private static let tolerance: Int64 = 2_000
    private var receipts: [Receipt]

    init(_ receipts: [Receipt]) { self.receipts = receipts.sorted { $0.to ?? .max < $1.to ?? .max } }

    /// Finds a receipt for a tick that may have had one of these times, and uses it up by one.
    mutating func take(_ times: [Int64]) -> Receipt? {
        for index in receipts.indices where receipts[index].ticks > 0 {
            let range = ((receipts[index].from ?? .min / 2) - Self.tolerance)...((receipts[index].to ?? .max / 2) + Self.tolerance)
            guard times.contains(where: range.contains) else { continue }
            receipts[index].ticks -= 1
            return receipts[index]
        }
        return nil
    }
}
