import CLinux

/// Wakes an event loop from another thread: a descriptor that is readable once somebody rang (eventfd(2)).
package final class WakeUp: Sendable {
    package let fd: Int32

    package init() throws(SystemError) {
        fd = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        guard fd >= 0 else { throw .last("make an event descriptor") }
    }

    deinit { close(fd) }

    /// Rings; safe from any thread, rings before the loop looks count as one.
    package func ring() {
        var one: UInt64 = 1
        _ = write(fd, &one, 8)
    }

    /// Makes the descriptor quiet again; the loop's thread does this first.
    package func silence() {
        var count: UInt64 = 0
        _ = read(fd, &count, 8)
    }
}
