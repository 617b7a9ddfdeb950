import AgentBuffer
import Foundation
import LinuxDriver
import Synchronization
import Telemetry

/// A buffer's life, made up from a seed: ticks, seals, documents, sending and acknowledgements, and what had been promised after each step.
final class Life {
    /// What was true when so many operations had been asked of the disk.
    struct Moment {
        let operations: Int
        var appended = 0
        /// Ticks, by their number, that are in a batch that was sealed, and of them those in acknowledged ones.
        var sealed: Set<Int> = []
        var forgotten: Set<Int> = []
        var newest: Sequence64 = 0
        var sent: Set<Sequence64> = []
        /// What stood in the lock file.
        var mark = Data()
    }

    private(set) var moments: [Moment] = []
    private(set) var stream: StreamId = 0
    let recording: Recording
    static let device = DeviceId("edge-1")!
    static let limits: BufferLimits = {
        var limits = BufferLimits()
        limits.bytesMax = 3 * 1_024 * 1_024
        limits.reserveBytes = 0
        return limits
    }()

    init(seed: UInt64, steps: Int, in directory: String) throws {
        let path = directory + "/b.sqlite"
        var random = Seeded(state: seed)
        let wall = Mutex(Int64(1_800_000_000_000))
        let clock = Clock(wall: { wall.withLock { $0 } }, boot: { wall.withLock { $0 } - 1_700_000_000_000 })
        var moments: [Moment] = []
        var stream: StreamId = 0
        recording = try Recording.of(directory) {
            let buffer = try Buffer(path: path, device: Self.device, limits: Self.limits, clock: clock, bootId: 1)
            stream = buffer.stream
            var now = Moment(operations: 0)
            var unsealed: [Int] = []
            var ticksOf: [Sequence64: [Int]] = [:]
            func seal(_ isSent: Bool, _ work: () throws -> Sequence64?) rethrows {
                guard let newest = try work() else { return }
                if isSent { now.sent.formUnion(now.newest + 1...newest) }
                now.newest = newest
            }
            for _ in 0..<steps {
                wall.withLock { $0 += 1_000 }
                switch Int.random(in: 0..<100, using: &random) {
                case 0..<80:
                    let readings = (0..<12).map { Reading(Series("s\($0)"), $0 == 0 ? Double(now.appended) : Double(random.next() >> 20)) }
                    try buffer.append(Tick(at: wall.withLock { $0 }, readings: readings))
                    unsealed.append(now.appended)
                    now.appended += 1
                case 80..<90:
                    let isSent = Bool.random(using: &random)
                    let before = now.newest
                    try seal(isSent) { try buffer.seal(goingOut: isSent) }
                    if now.newest > before { ticksOf[before + 1] = unsealed }
                    now.sealed.formUnion(unsealed)
                    unsealed = []
                case 90..<93:
                    try seal(false) { try buffer.append(.event, json: "{\"type\":\"event\"}", goingOut: false) }
                case 93..<96 where now.newest > 0:
                    let sequence = UInt64.random(in: 1...now.newest, using: &random)
                    try buffer.markSent(sequence)
                    now.sent.insert(sequence)
                default:
                    guard now.newest > 0 else { break }
                    let first = UInt64.random(in: 1...now.newest, using: &random)
                    let count = UInt64.random(in: 1...8, using: &random)
                    try buffer.forget(Acknowledgement.Run(first: first, count: count), of: stream)
                    for sequence in first..<first + count { now.forgotten.formUnion(ticksOf[sequence] ?? []) }
                }
                now.mark = FileManager.default.contents(atPath: path + ".lock") ?? Data()
                moments.append(
                    Moment(
                        operations: Recording.count, appended: now.appended, sealed: now.sealed, forgotten: now.forgotten, newest: now.newest,
                        sent: now.sent, mark: now.mark))
            }
        }
        self.moments = moments
        self.stream = stream
    }

    /// What had been promised when the power went.
    func moment(before cut: Int) -> Moment { moments.last { $0.operations <= cut } ?? Moment(operations: 0) }
}
