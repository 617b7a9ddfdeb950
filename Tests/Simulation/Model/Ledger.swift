import DocumentStores
import LinuxDriver
import Telemetry

/// What each device took and what of it was committed, sample by sample: the simulation's judge. A tick carries its number as the value of one
/// series and noise made from it as another, so that what is stored can be told from what was taken whatever happened on the way.
final class Ledger {
    enum Fate { case pending, taken }

    private struct Produced {
        var at: Int64
        var fate: Fate
        /// Its batch once it is sealed.
        var sequence: Sequence64?
        /// How often it was committed as it was taken, and when first.
        var stored = 0
        var storedAt: Int64?
        /// How often it was committed as a part of a thinned tick.
        var thinned = 0
        /// A receipt says that its batch was given up.
        var isDropped = false
    }

    private final class Account {
        var ticks: [Produced] = []
        var notes: [Produced] = []
        /// What is in a batch: numbers of ticks, or of a note.
        var ticksOf: [Sequence64: [Int]] = [:]
        var noteOf: [Sequence64: Int] = [:]
        /// Ticks that found no room: in all, with a receipt in the buffer, and since the last receipt.
        var lost: Int64 = 0
        /// Ticks of receipts that tell of those, and of receipts for others that never had a sequence.
        var unwritten: Int64 = 0
        var pending: Int64 = 0
        /// A note on its way into the buffer.
        var noteInHand: Int?
        var samplesCommitted: Int64 = 0
        var promises: [Promise] = []
    }

    /// Ticks that should be in the store at a time.
    private struct Promise {
        let since: Int64
        let ticks: Range<Int>
    }

    /// From a connection to the store, for what waited unsealed then: the contract's own number, milliseconds.
    static let liveMax: Int64 = 2_000

    /// What rounding may add to a mean of numbers.
    private static let roundingMax = 0.05 + 0.005 + 1e-9

    private let seed: UInt64
    /// Series of noise in a tick.
    private let channels: Int
    private let time: VirtualTime
    private var accounts: [DeviceId: Account] = [:]
    private(set) var problems: [String] = []
    /// When something was wrong on purpose: nothing is promised then.
    private var disturbances: [ClosedRange<Int64>] = []

    init(seed: UInt64, channels: Int, time: VirtualTime) {
        self.seed = seed
        self.channels = channels
        self.time = time
    }

    func problem(_ text: String) { problems.append("\(time.now - 1_000_000): " + text) }

    func disturbed(for duration: Int64) { disturbances.append(time.now...(time.now + duration)) }

    private func account(_ device: DeviceId) -> Account {
        if let known = accounts[device] { return known }
        let account = Account()
        accounts[device] = account
        return account
    }

    // MARK: Taking

    private static let number = "tick_number"
    private static let noise = "noise"

    private func noise(_ number: Int, _ channel: Int) -> Double {
        Double(SeededRandom(seed ^ UInt64(number) << 20 ^ UInt64(channel) << 50).next() >> 11)
    }

    func next(_ device: DeviceId, at wall: Int64) -> Tick {
        let number = account(device).ticks.count
        account(device).ticks.append(Produced(at: wall, fate: .pending))
        var readings = [Reading(Series(Self.number), Double(number))]
        for channel in 0..<channels { readings.append(Reading(Series(Self.noise, [Label("channel", "\(channel)")]), noise(number, channel))) }
        return Tick(at: wall, readings: readings)
    }

    func nextNote(_ device: DeviceId, at wall: Int64, bytes: Int) -> (Int, String) {
        let number = account(device).notes.count
        account(device).notes.append(Produced(at: wall, fate: .pending))
        account(device).noteInHand = number
        var writer = JSONWriter()
        writer.object { json in
            json.string("type", "note")
            json.string("at", Timestamp.text(wall))
            json.integer("number", Int64(number))
            json.string("padding", String(repeating: "x", count: bytes))
        }
        return (number, writer.text)
    }

    func taken(_ tick: Tick, of device: DeviceId) { account(device).ticks[Int(tick.readings[0].value)].fate = .taken }

    func taken(note number: Int, of device: DeviceId) { account(device).notes[number].fate = .taken }
    func noteIsDone(of device: DeviceId) { account(device).noteInHand = nil }

    func lost(_ device: DeviceId) { account(device).lost += 1 }

    func sealed(_ device: DeviceId, _ sequence: Sequence64, _ batch: Batch) {
        let account = self.account(device)
        guard batch.kind == .samples else {
            guard let number = (try? JSONParser.parse(batch.payload))?["number"]?.integer else { return }
            account.noteOf[sequence] = Int(number)
            return
        }
        // All that waited, in order: a batch may be thinned or dropped in the very call that seals it.
        let waiting = account.ticks.indices.filter { account.ticks[$0].fate == .taken && account.ticks[$0].sequence == nil }
        let sealed = batch.resolution == 0 ? (try? Block(decoding: batch.payload)).map(numbers) ?? [] : waiting
        account.ticksOf[sequence] = sealed
        for number in sealed where account.ticks.indices.contains(number) { account.ticks[number].sequence = sequence }
    }

    /// A batch is gone when it is looked for: the note in hand, or what waited, was in it.
    func sealedAndGone(_ device: DeviceId, _ sequence: Sequence64) {
        let account = self.account(device)
        if let note = account.noteInHand { return account.noteOf[sequence] = note }
        let waiting = account.ticks.indices.filter { account.ticks[$0].fate == .taken && account.ticks[$0].sequence == nil }
        account.ticksOf[sequence] = waiting
        for number in waiting { account.ticks[number].sequence = sequence }
    }

    /// What waits unsealed now is to be in the store within `liveMax`.
    func connected(_ device: DeviceId) {
        guard let ticks = accounts[device]?.ticks else { return }
        let first = (ticks.lastIndex { $0.sequence != nil } ?? -1) + 1
        if first < ticks.count { account(device).promises.append(Promise(since: time.now, ticks: first..<ticks.count)) }
    }

    // MARK: Storing

    private func numbers(_ block: Block) -> [Int] {
        var numbers: [Int] = []
        for tick in block.ticks() {
            for reading in tick.readings where reading.series.metric == Self.number { numbers.append(Int(exactly: reading.value) ?? -1) }
        }
        return numbers
    }

    /// A batch of samples was written.
    func committed(_ batch: Batch, _ block: Block) {
        let account = self.account(batch.device)
        account.samplesCommitted += Int64(block.sampleCount)
        guard batch.resolution == 0 else { return committedThinned(batch, block, account) }
        for tick in block.ticks() {
            guard let first = tick.readings.first, let number = Int(exactly: first.value), account.ticks.indices.contains(number),
                tick.readings.count == channels + 1
            else { return problem("\(batch.device): a tick was stored that nobody took") }
            let isWhole = tick.readings.dropFirst().enumerated().allSatisfy { $1.value == noise(number, $0) }
            if !isWhole || account.ticks[number].at != tick.at { problem("\(batch.device): tick \(number) was stored with other values") }
            account.ticks[number].stored += 1
            if account.ticks[number].storedAt == nil { account.ticks[number].storedAt = time.now }
        }
    }

    /// A thinned batch stands for all ticks of the batches that it took the place of: how many are in each of its ticks, and their mean, must be
    /// right. A mean is rounded to one decimal more than the values have, which for numbers is none, and perhaps a second time to one more.
    private func committedThinned(_ batch: Batch, _ block: Block, _ account: Account) {
        let numbers = (batch.firstSequence...batch.sequence).flatMap { account.ticksOf[$0] ?? [] }.sorted()
        for number in numbers { account.ticks[number].thinned += 1 }
        var rest = numbers[...]
        for tick in block.ticks() {
            let values = Dictionary(tick.readings.map { ($0.series.metric, $0.value) }) { first, _ in first }
            let count = Int(exactly: values[Self.number + ":count"] ?? 0) ?? 0
            let mean = values[Self.number] ?? .nan
            let expected = Double(rest.prefix(count).reduce(0, +)) / Double(count)
            guard count > 0, count <= rest.count, abs(mean - expected) <= Self.roundingMax else {
                return problem(
                    "\(batch.device): thinned batch \(batch.sequence) has a mean \(mean) of \(count) ticks, \(expected) of \(rest.count) is right")
            }
            rest.removeFirst(count)
        }
        if !rest.isEmpty {
            problem("\(batch.device): thinned batch \(batch.sequence) of \(batch.span) lacks \(rest.count) of \(numbers.count) ticks")
        }
    }

    /// A document or event was taken for the first time.
    func committed(_ batch: Batch, type: String, _ body: JSONValue) {
        let account = self.account(batch.device)
        switch type {
        case "note":
            guard let number = body["number"]?.integer, account.notes.indices.contains(Int(number)) else {
                return problem("\(batch.device): a note was stored that nobody wrote")
            }
            account.notes[Int(number)].stored += 1
        case "eviction_receipt": committed(receipt: body, account)
        default: problem("\(batch.device): an unknown event was stored: \(type)")
        }
    }

    private func committed(receipt: JSONValue, _ account: Account) {
        guard receipt["action"]?.text == "dropped" else { return }
        let ticks = receipt["ticks"]?.integer ?? 0
        if receipt["cause"]?.text == "unwritten" {
            account.unwritten += ticks
        } else if receipt["cause"]?.text == "pending" {
            account.pending += ticks
        }
        for range in receipt["sequences"]?.array ?? [] {
            guard let first = range.array?.first?.integer, let last = range.array?.last?.integer, first <= last else { continue }
            for sequence in UInt64(first)...UInt64(last) {
                for number in account.ticksOf[sequence] ?? [] { account.ticks[number].isDropped = true }
                if let number = account.noteOf[sequence] { account.notes[number].isDropped = true }
            }
        }
    }

    func samplesCommitted(_ device: DeviceId) -> Int64 { accounts[device]?.samplesCommitted ?? 0 }
    var samples: Int64 { accounts.values.reduce(0) { $0 + $1.samplesCommitted } }

    // MARK: Judging

    func judge(promisesLatency: Bool) {
        for (device, account) in accounts.sorted(by: { $0.key < $1.key }) {
            let missing = judge(account.ticks, of: device, "tick")
            // A receipt for ticks that never had a sequence does not say which they were.
            if Int64(missing.count) > account.pending {
                for text in missing.prefix(5) { problem(text) }
                problem("\(device): \(missing.count) ticks are lost, receipts tell of \(account.pending)")
            }
            for text in judge(account.notes, of: device, "note") { problem(text) }
            if account.unwritten != account.lost {
                problem("\(device): receipts speak of \(account.unwritten) unwritten ticks; \(account.lost) were")
            }
            if promisesLatency { account.promises.forEach { judge($0, account, device) } }
        }
    }

    /// Tells what is there twice; returns what is missing.
    private func judge(_ items: [Produced], of device: DeviceId, _ name: String) -> [String] {
        var missing: [String] = []
        for (number, item) in items.enumerated() {
            let place = "\(device): \(name) \(number) (sequence \(item.sequence ?? 0))"
            if item.stored + item.thinned > 1 { problem("\(place) is stored \(item.stored) times, thinned \(item.thinned) times") }
            if item.fate == .pending, item.stored > 0 { problem("\(place) is stored and was never taken") }
            if item.fate == .taken, item.stored + item.thinned == 0, !item.isDropped { missing.append("\(place) is lost") }
        }
        return missing
    }

    private func judge(_ promise: Promise, _ account: Account, _ device: DeviceId) {
        let span = promise.since - Self.liveMax...promise.since + Self.liveMax
        guard !disturbances.contains(where: { $0.overlaps(span) }) else { return }
        for number in promise.ticks where account.ticks[number].fate == .taken {
            guard !account.ticks[number].isDropped, account.ticks[number].thinned == 0 else { continue }
            let storedAt = account.ticks[number].storedAt ?? .max
            if storedAt > promise.since + Self.liveMax {
                return problem(
                    "\(device): tick \(number) waited at the connection of \(promise.since - 1_000_000) and was stored \(storedAt - promise.since) ms later"
                )
            }
        }
    }
}
