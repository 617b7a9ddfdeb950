import CLinux

/// One thread's epoll loop: file descriptors with handlers, and timers. Whatever the agent waits for, it waits for here.
///
/// Not safe to use from another thread; a handler may add and remove watches and timers, its own included.
package final class EventLoop {
    /// What a watched descriptor is ready for; the raw value is epoll's mask.
    package struct Readiness: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let readable = Readiness(rawValue: EPOLLIN.rawValue)
        package static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
        /// An error or a hang-up; reported without being asked for.
        package static let failed = Readiness(rawValue: EPOLLERR.rawValue | EPOLLHUP.rawValue)
    }

    /// A timer that was started; the number is never used again.
    package struct TimerId: Hashable, Sendable { fileprivate let number: UInt64 }

    private struct Timer {
        let deadline: Int64
        let number: UInt64
    }

    /// Events taken from the kernel at once.
    private static let eventsMax = 64

    private let epoll: Int32
    private var handlers: [Int32: (Readiness) -> Void] = [:]
    private var heap: [Timer] = []
    private var actions: [UInt64: () -> Void] = [:]
    private var nextTimer: UInt64 = 1
    private var isRunning = false

    package init() throws(SystemError) {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw .last("create epoll") }
    }

    deinit { close(epoll) }

    // MARK: Descriptors

    /// Calls `handler` when `fd` is ready. The descriptor stays the caller's, who must `unwatch` before closing it.
    package func watch(_ fd: Int32, _ readiness: Readiness, handler: @escaping (Readiness) -> Void) throws(SystemError) {
        var event = farwatch_epoll_event(readiness.rawValue, fd)
        let operation = handlers[fd] == nil ? EPOLL_CTL_ADD : EPOLL_CTL_MOD
        guard epoll_ctl(epoll, operation, fd, &event) == 0 else { throw .last("watch descriptor") }
        handlers[fd] = handler
    }

    /// Changes what a watched descriptor is waited for.
    package func modify(_ fd: Int32, _ readiness: Readiness) {
        guard handlers[fd] != nil else { return }
        var event = farwatch_epoll_event(readiness.rawValue, fd)
        epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event)
    }

    package func unwatch(_ fd: Int32) {
        guard handlers.removeValue(forKey: fd) != nil else { return }
        epoll_ctl(epoll, EPOLL_CTL_DEL, fd, nil)
    }

    // MARK: Timers

    /// Calls `action` once, `milliseconds` from now on the boot clock.
    @discardableResult
    package func after(_ milliseconds: Int64, _ action: @escaping () -> Void) -> TimerId {
        let number = nextTimer
        nextTimer += 1
        actions[number] = action
        push(Timer(deadline: Clock.system.boot() + max(0, milliseconds), number: number))
        return TimerId(number: number)
    }

    /// Cancels a timer; one that has fired already is nothing to cancel.
    package func cancel(_ id: TimerId) { actions[id.number] = nil }

    // MARK: Running

    /// Runs until `stop`.
    package func run() throws(SystemError) {
        isRunning = true
        var events = [epoll_event](repeating: epoll_event(), count: Self.eventsMax)
        while isRunning { try turn(&events, waitMax: -1) }
    }

    /// Waits for what comes first, at most `milliseconds`, and handles it: for loops that live inside another one.
    package func runOnce(waitMax milliseconds: Int64) throws(SystemError) {
        var events = [epoll_event](repeating: epoll_event(), count: Self.eventsMax)
        try turn(&events, waitMax: milliseconds)
    }

    package func stop() { isRunning = false }

    private func turn(_ events: inout [epoll_event], waitMax: Int64) throws(SystemError) {
        dropCancelled()
        var wait = waitMax
        if let first = heap.first {
            let untilTimer = max(0, first.deadline - Clock.system.boot())
            wait = wait < 0 ? untilTimer : min(wait, untilTimer)
        }
        let count = epoll_wait(epoll, &events, Int32(events.count), Int32(clamping: wait))
        if count < 0 {
            let error = SystemError.last("wait for events")
            guard error.code == EINTR else { throw error }
            return
        }
        for index in 0..<Int(count) {
            let fd = farwatch_epoll_fd(&events[index])
            // A handler earlier in this turn may have unwatched it.
            handlers[fd]?(Readiness(rawValue: events[index].events))
        }
        let now = Clock.system.boot()
        while let first = heap.first, first.deadline <= now {
            pop()
            if let action = actions.removeValue(forKey: first.number) { action() }
        }
    }

    // MARK: A binary heap by deadline

    private func dropCancelled() {
        while let first = heap.first, actions[first.number] == nil { pop() }
    }

    private func push(_ timer: Timer) {
        heap.append(timer)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if heap[parent].deadline <= heap[child].deadline { break }
            heap.swapAt(parent, child)
            child = parent
        }
    }

    private func pop() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].deadline < heap[least].deadline { least = child }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
