/// A deliberate bug in a model or a seam. Each must be found, or the simulation proves nothing.
package enum Canary: String, CaseIterable, Sendable {
    /// The device forgets a batch when the broker has it.
    case forgetsOnConfirmation
    /// The collector acknowledges what it has not committed yet.
    case acknowledgesBeforeCommit
    /// The collector writes a batch that is taken already.
    case writesTwice
    /// Two collectors keep an account each.
    case keepsTwoAccounts
    /// A damaged batch is taken for whole.
    case believesDamage
    /// An acknowledgement covers a batch more than was committed.
    case acknowledgesTooMuch
    /// Ticks that were not sealed are gone after a crash.
    case losesUnsealedTicks
    /// What waits unsealed is not sealed on a connection.
    case waitsOnConnection
    /// The buffer does not know which batches were sent.
    case forgetsSentMarks
}

/// What a seed stands for: the fleet, its links, and how often what goes wrong. Times are milliseconds.
struct Scenario {
    var agents: Int
    var collectors: Int
    var tickInterval: Int64
    var sealTicks: Int
    var sealAge: Int64
    /// Ticks that a device has taken before it first connects.
    var backlogTicks: Int
    var backlogNotes: Int
    /// How long things go wrong.
    var faultsFor: Int64
    /// Between two faults at most.
    var faultInterval: Int64
    var linkBytesPerSecond: Double
    var linkLatencyMax: Int64
    var receiveMaximum: Int
    var commitMax: Int64
    /// Of each message that the broker passes on.
    var duplicated: Double
    var corrupted: Double
    var dropped: Double
    /// A copy that comes up to two minutes later.
    var stale: Double
    /// Whether the broker says that nobody is subscribed, and whether it gives a dead collector's messages to another one.
    var tellsOfNobody: Bool
    var redelivers: Bool
    var paces: Bool
    var backlogBytesPerSecond: Int64?
    var bytesPerHour: Int64?
    /// Series of noise in a tick; many of them fill a buffer.
    var channels = 1
    /// All of a buffer's files together; nil for more than is ever needed.
    var bufferBytes: Int64?

    init(_ random: SeededRandom) {
        agents = random.pick([1, 1, 1, 2, 2, 3])
        collectors = random.pick([1, 1, 2])
        tickInterval = random.pick([1_000, 2_000, 5_000])
        sealTicks = random.pick([1, 2, 5, 8])
        sealAge = random.pick([1_000, 4_000, 10_000])
        backlogTicks = random.pick([0, 5, 30, 60])
        backlogNotes = random.pick([0, 0, 2, 6])
        faultsFor = random.pick([20_000, 60_000, 120_000])
        faultInterval = random.pick([3_000, 10_000, 30_000])
        linkBytesPerSecond = random.pick([30_000, 120_000, 2_000_000])
        linkLatencyMax = random.pick([2, 40, 150])
        receiveMaximum = random.pick([1, 5, 20, 1_000])
        commitMax = random.pick([2, 30, 200])
        duplicated = random.pick([0, 0.02, 0.2])
        corrupted = random.pick([0, 0.02, 0.1])
        dropped = random.pick([0, 0.02, 0.1])
        stale = random.pick([0, 0.05])
        tellsOfNobody = random.chance(0.5)
        redelivers = random.chance(0.5)
        paces = random.chance(0.3)
        backlogBytesPerSecond = random.chance(0.15) ? random.pick([500, 5_000]) : nil
        bytesPerHour = random.chance(0.1) ? random.pick([400_000, 4_000_000]) : nil
        if random.chance(0.06) { fillBuffers(random) }
    }

    /// A buffer that is too small for its backlog: it must thin and drop.
    private mutating func fillBuffers(_ random: SeededRandom) {
        agents = 1
        channels = 60
        // What a buffer keeps for its journal, and room for some 100 to 300 of these ticks.
        bufferBytes = 3 * 512 * 1024 + 64 * 1024 + random.pick([80_000, 150_000])
        backlogTicks = random.pick([100, 250])
        backlogBytesPerSecond = random.pick([nil, 2_000])
        sealTicks = random.pick([2, 5, 12])
    }

    /// Whether everything has the means to be in the store two seconds after a connection.
    var promisesLatency: Bool { bytesPerHour == nil }
}
