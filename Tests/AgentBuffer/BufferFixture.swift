import AgentBuffer
import Foundation
import LinuxDriver
import SQLiteDriver
import Synchronization
import Telemetry
import Testing

/// Clocks that a test sets.
final class FakeClock: Sendable {
    private let times = Mutex((wall: Int64(1_800_000_000_000), boot: Int64(1_000_000)))

    var clock: Clock { Clock(wall: { self.times.withLock { $0.wall } }, boot: { self.times.withLock { $0.boot } }) }
    var wall: Int64 { times.withLock { $0.wall } }

    func advance(_ milliseconds: Int64) {
        times.withLock { times in
            times.wall += milliseconds
            times.boot += milliseconds
        }
    }
    /// The machine starts again: its boot clock begins at nothing.
    func reboot() { times.withLock { $0.boot = 20_000 } }
    func step(wall: Int64) { times.withLock { $0.wall += wall } }
}

/// A directory for a test's buffers, removed at the end, with a clock that the test sets.
final class BufferFixture {
    let directory: String
    let time = FakeClock()
    let device = DeviceId("edge-1")!
    var path: String { directory + "/b.sqlite" }

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "buffer-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    func open(_ limits: BufferLimits = BufferLimits(), bootId: Int64 = 1) throws -> Buffer {
        // A program that another test starts holds this one's locks until its exec.
        for _ in 0..<500 {
            do { return try Buffer(path: path, device: device, limits: limits, clock: time.clock, bootId: bootId) } catch {
                guard error.reason == .inUse else { throw error }
                usleep(10_000)
            }
        }
        return try Buffer(path: path, device: device, limits: limits, clock: time.clock, bootId: bootId)
    }

    /// All of the buffer's files but those that were set aside, in bytes.
    func filesBytes() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasPrefix("b.sqlite") && !$0.contains(".damaged-") }
            .map { (try FileManager.default.attributesOfItem(atPath: directory + "/" + $0)[.size] as? Int) ?? 0 }.reduce(0, +)
    }

    /// What `sql` does to the file behind the buffer's back.
    func alter(_ sql: String) throws { try Database(path: path).execute(sql) }

    func tick(_ value: Double = 1, _ names: [String] = ["m"]) -> Tick { Tick(at: time.wall, readings: names.map { Reading(Series($0), value) }) }

    /// All batches that the buffer holds, from the newest to the oldest.
    func batches(in buffer: Buffer) throws -> [Batch] {
        var batches: [Batch] = []
        var below = Sequence64.max
        while let (sequence, bytes) = try buffer.newestBatch(below: below) {
            below = sequence
            batches.append(try Batch(decoding: bytes))
        }
        return batches
    }

    /// The ticks of all batches, from the oldest to the newest.
    func ticks(in buffer: Buffer) throws -> [Tick] {
        try batches(in: buffer).reversed().filter { $0.kind == .samples }.flatMap { try Block(decoding: $0.payload).ticks() }
    }

    /// The events of a type.
    func events(_ type: String, in buffer: Buffer) throws -> [[String: Any]] {
        try batches(in: buffer).filter { $0.kind == .event }
            .compactMap { try JSONSerialization.jsonObject(with: Data($0.payload)) as? [String: Any] }
            .filter { $0["type"] as? String == type }
    }
}

extension BufferFixture {
    /// The receipts of an action and a cause.
    func receipts(_ action: String, _ cause: String, in buffer: Buffer) throws -> [[String: Any]] {
        try events("eviction_receipt", in: buffer).filter { $0["action"] as? String == action && $0["cause"] as? String == cause }
    }

    /// The sum of a number over receipts.
    func sum(_ key: String, _ receipts: [[String: Any]]) -> Int { receipts.reduce(0) { $0 + ($1[key] as? Int ?? 0) } }
}

/// A generator for tests: the same values for the same seed.
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}
