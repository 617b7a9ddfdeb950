import LinuxDriver
import Synchronization

/// When a server has answered last.
final class LastAnswer: Sendable {
    private let at = Mutex<Int64>(Clock.system.boot())

    func came() { at.withLock { $0 = Clock.system.boot() } }

    /// For how long it has not, milliseconds.
    var silence: Int64 { Clock.system.boot() - at.withLock { $0 } }
}
