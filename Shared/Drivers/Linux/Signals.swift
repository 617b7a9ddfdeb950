import CLinux

/// Signals as a readable descriptor, so that a loop handles them like everything else (signalfd(2)).
package final class Signals {
    package let fd: Int32

    /// Blocks the signals' usual effect for the whole process. Make it before any thread is started.
    package init(_ numbers: [Int32]) throws(SystemError) {
        var set = sigset_t()
        sigemptyset(&set)
        for number in numbers { sigaddset(&set, number) }
        guard sigprocmask(SIG_BLOCK, &set, nil) == 0 else { throw .last("block signals") }
        fd = signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
        guard fd >= 0 else { throw .last("make a signal descriptor") }
    }

    deinit { close(fd) }

    /// The number of a signal that has come, or nil.
    package func next() -> Int32? {
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        return read(fd, &information, size) == size ? Int32(information.ssi_signo) : nil
    }

    /// A write to a closed pipe or socket is then an error like any other (`EPIPE`).
    package static func ignorePipe() { farwatch_ignore_signal(SIGPIPE) }

    package static let terminate = SIGTERM
    package static let interrupt = SIGINT
    package static let hangUp = SIGHUP
}
