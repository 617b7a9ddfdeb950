import AgentBuffer
import Foundation
import LinuxDriver
import Telemetry
import Testing

/// The promise that a power cut takes at most the unsealed interval: a buffer's life is recorded as what it asks of the disk, and after a cut at any
/// point of it, whatever the disk made of what was not synced, a buffer is opened on what is left.
///
/// `POWER_CUT_SEEDS` and `POWER_CUT_CUTS` make it look at more lives and more cuts in each, `POWER_CUT_SEED` at one.
@Suite(.serialized)
struct PowerCutTests {
    private let directory: String

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "power-cut-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    private func number(_ name: String, _ otherwise: Int) -> Int { ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? otherwise }

    @Test func `a power cut at any point loses nothing that was sealed, doubles nothing, and forgets no mark`() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let seeds = ProcessInfo.processInfo.environment["POWER_CUT_SEED"].flatMap { Int($0) }.map { [$0] } ?? Array(1...number("POWER_CUT_SEEDS", 4))
        var cuts = 0
        for seed in seeds {
            let life = try Life(seed: UInt64(seed), steps: 600, in: directory + "/life-\(seed)".made())
            var random = Seeded(state: UInt64(seed))
            for _ in 0..<number("POWER_CUT_CUTS", 100) {
                let cut = Int.random(in: 0...life.recording.operations.count, using: &random)
                let problems = try problems(of: life, cut: cut, syncsCount: true, &random)
                #expect(problems == [], "POWER_CUT_SEED=\(seed), cut after \(cut) of \(life.recording.operations.count) operations")
                cuts += 1
            }
        }
        print("power cuts: \(cuts) in \(seeds.count) lives")
    }

    @Test func `a new buffer is made by two syncs, its first tick takes none, and the first seal forces all to disk`() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var counts: [Int] = []
        let recording = try Recording.of(directory) {
            let clock = Clock(wall: { 1_900_000_000_000 }, boot: { 1 })
            let buffer = try Buffer(path: directory + "/b.sqlite", device: Life.device, limits: Life.limits, clock: clock, bootId: 1)
            try buffer.append(Tick(at: 1_900_000_000_000, readings: [Reading(Series("cpu_usage"), 0.5)]))
            counts.append(Recording.count)
            try buffer.seal(goingOut: false)
            counts.append(Recording.count)
        }
        func syncs(_ operations: some Sequence<(file: String, operation: Recording.Operation)>) -> [String] {
            operations.compactMap { if case .sync = $0.operation { $0.file } else { nil } }
        }
        #expect(syncs(recording.operations.prefix(counts[0])) == ["b.sqlite.new", Recording.directory])
        #expect(syncs(recording.operations[counts[0]..<counts[1]]).contains("b.sqlite-wal"))
    }

    @Test func `a power cut while a buffer is made leaves none or a whole one`() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let life = try Life(seed: 2, steps: 6, in: directory + "/life".made())
        var random = Seeded(state: 2)
        for cut in 0...min(40, life.recording.operations.count) {
            for _ in 0..<5 {
                let problems = try problems(of: life, cut: cut, syncsCount: true, &random)
                #expect(problems == [], "cut after \(cut) operations")
            }
        }
    }

    @Test func `a disk that lies about syncing is caught`() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let life = try Life(seed: 1, steps: 600, in: directory + "/life".made())
        var random = Seeded(state: 1)
        var caught = 0
        for _ in 0..<60 {
            let cut = Int.random(in: 0...life.recording.operations.count, using: &random)
            // What cannot even be read is caught too.
            let found = try? problems(of: life, cut: cut, syncsCount: false, &random)
            if found != [] { caught += 1 }
        }
        #expect(caught > 10)
    }

    /// What is not as it was promised after a cut.
    private func problems(of life: Life, cut: Int, syncsCount: Bool, _ random: inout Seeded) throws -> [String] {
        let image = DiskImage(life.recording, cut: cut, syncsCount: syncsCount, random: &random)
        let promised = life.moment(before: cut)
        let place = directory + "/cut"
        try? FileManager.default.removeItem(atPath: place)
        _ = place.made()
        for (name, bytes) in image.files where !name.hasSuffix("-shm") { try Data(bytes).write(to: URL(filePath: place + "/" + name)) }
        // The mark is not synced: any that was ever there may be.
        let marks = life.moments.filter { $0.operations <= cut }.map(\.mark)
        if !marks.isEmpty {
            let mark = marks[Int.random(in: 0..<marks.count, using: &random)]
            try mark.write(to: URL(filePath: place + "/b.sqlite.lock"))
        }

        let buffer = try Buffer(
            path: place + "/b.sqlite", device: Life.device, limits: Life.limits, clock: Clock(wall: { 1_900_000_000_000 }, boot: { 1 }), bootId: 2)
        var problems: [String] = []
        if let damage = buffer.damage { problems.append("damaged: " + damage.reason) }
        guard promised.newest > 0 else { return problems }
        if buffer.stream != life.stream { problems.append("another stream") }
        if buffer.newestSequence < promised.newest { problems.append("newest is \(buffer.newestSequence), was \(promised.newest)") }
        for sequence in promised.sent where !buffer.isMarkedSent(sequence) { problems.append("\(sequence) is not marked as sent") }
        try buffer.seal(goingOut: false)
        let found = try ticks(in: buffer)
        if Set(found).count < found.count { problems.append("ticks are there twice") }
        let lost = promised.sealed.subtracting(promised.forgotten).subtracting(found)
        if !lost.isEmpty { problems.append("\(lost.count) sealed ticks are lost") }
        if let most = found.max(), most >= promised.appended + 1 { problems.append("ticks that never were") }
        return problems
    }

    /// The numbers of all ticks in a buffer.
    private func ticks(in buffer: Buffer) throws -> [Int] {
        var numbers: [Int] = []
        var below = Sequence64.max
        while let (sequence, bytes) = try buffer.newestBatch(below: below) {
            below = sequence
            let batch = try Batch(decoding: bytes)
            guard batch.kind == .samples else { continue }
            for tick in try Block(decoding: batch.payload).ticks() {
                // Of a disk that lies a tick may have come without.
                if let reading = tick.readings.first(where: { $0.series.metric == "s0" }) { numbers.append(Int(reading.value)) }
            }
        }
        return numbers
    }
}

extension String {
    /// The directory of this path, which is there now.
    fileprivate func made() -> String {
        try? FileManager.default.createDirectory(atPath: self, withIntermediateDirectories: true)
        return self
    }
}
