import AgentSampling
import LinuxDriver
import Synchronization
import Telemetry

/// A machine of the fixture trees, and a clock that a test moves.
final class SampledMachine: Sendable {
    static let fixtures = String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/")!)) + "/Fixtures/"

    private let now = Mutex<Int64>(0)
    private let used = Mutex<Double>(25)
    private let measured = Mutex<Int>(0)
    let root: String

    init(root: String) { self.root = root }
    convenience init(_ fixture: String) { self.init(root: Self.fixtures + fixture) }

    var measurements: Int { measured.withLock { $0 } }
    func pass(_ milliseconds: Int64) { now.withLock { $0 += milliseconds } }
    func use(_ bytes: Double) { used.withLock { $0 = bytes } }

    /// File systems of 100 bytes; paths under `/etc` are single files.
    func sampler() -> Sampler {
        Sampler(root: root, clock: Clock(wall: { 0 }, boot: { self.now.withLock { $0 } })) { path in
            self.measured.withLock { $0 += 1 }
            if path.starts(with: "/etc/".utf8) { return nil }
            let used = self.used.withLock { $0 }
            return FileSystemSpace(size: 100, used: used, available: 100 - used)
        }
    }
}

extension [Reading] {
    var texts: [String] { map { $0.series.description } }
    func value(_ series: String) -> Double? { first { $0.series.description == series }?.value }
}

extension Sampler {
    func sample() -> [Reading] {
        var readings: [Reading] = []
        sample(into: &readings)
        return readings
    }
}
