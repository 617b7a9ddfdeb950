import LinuxDriver
import Synchronization

/// Tells a connection, from any thread, that nobody wants its answer any more. One for each piece of work, so that one that comes late cannot
/// hit the next.
package final class Interrupt: Sendable {
    private let requested = Mutex(false)
    private let wakeUp: WakeUp

    init(_ wakeUp: WakeUp) { self.wakeUp = wakeUp }

    package var isRequested: Bool { requested.withLock { $0 } }

    package func request() {
        requested.withLock { $0 = true }
        wakeUp.ring()
    }
}
