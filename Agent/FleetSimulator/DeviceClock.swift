import LinuxDriver
import Synchronization

/// The clocks of simulated devices: the machine's, moved. The wall clock may be set wrong and step; both go back while a backlog is made up.
final class DeviceClock: Sendable {
    /// How far the wall clock is ahead of the machine's, in milliseconds.
    private let offset = Atomic<Int64>(0)
    /// How far in the past both clocks are, in milliseconds.
    private let past = Atomic<Int64>(0)

    var wallOffset: Int64 {
        get { offset.load(ordering: .relaxed) }
        set { offset.store(newValue, ordering: .relaxed) }
    }

    /// Lets both clocks show an earlier time, for a tick that is made up; nil for the present.
    func goBack(to wall: Int64?) { past.store(wall.map { Clock.system.wall() - $0 } ?? 0, ordering: .relaxed) }

    var clock: Clock {
        Clock(
            wall: { [self] in Clock.system.wall() + offset.load(ordering: .relaxed) - past.load(ordering: .relaxed) },
            boot: { [self] in Clock.system.boot() - past.load(ordering: .relaxed) })
    }

    /// Takes the offset from a file that holds it as a decimal number; one that is missing or holds anything else changes nothing.
    func readOffset(from path: String) {
        guard let bytes = try? SmallFile.read(path, limit: 64), let text = String(validating: bytes, as: UTF8.self) else { return }
        if let milliseconds = Int64(text.prefix { !$0.isWhitespace }) { wallOffset = milliseconds }
    }
}
