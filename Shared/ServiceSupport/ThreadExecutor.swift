import Glibc

/// Runs an actor's work on one thread of its own, for actors that hold a blocking C connection: SQLite waits for disks, and a
/// thread of the shared pool must not. The thread ends when the executor is released.
package final class ThreadExecutor: SerialExecutor {
    private let queue: JobQueue

    /// - Parameter name: what `top -H` shows; Linux keeps the first 15 bytes.
    package init(name: String) {
        let queue = JobQueue()
        self.queue = queue
        let start = Unmanaged.passRetained(ThreadStart(name: name, queue: queue))
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, { Unmanaged<ThreadStart>.fromOpaque($0!).takeRetainedValue().run() }, start.toOpaque())
        precondition(code == 0, "a thread can be started")
        // pthread_detach(3): "When a detached thread terminates, its resources are automatically released": the last reference to the
        // executor may go on its own thread, which cannot join itself.
        pthread_detach(thread)
    }

    deinit { queue.stop() }

    package func enqueue(_ job: consuming ExecutorJob) {
        // The job keeps the executor until it has run, even when it releases the actor.
        queue.push(JobQueue.Entry(job: UnownedJob(job), executor: self))
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
}

/// What the new thread is given.
private final class ThreadStart {
    private let name: String
    private let queue: JobQueue

    init(name: String, queue: JobQueue) {
        self.name = name
        self.queue = queue
    }

    func run() -> UnsafeMutableRawPointer? {
        setName()
        while let entry = queue.pop() { entry.job.runSynchronously(on: entry.executor.asUnownedSerialExecutor()) }
        return nil
    }

    /// proc(5): "A thread may modify its comm value … Strings longer than TASK_COMM_LEN (16) characters (including the terminating null
    /// byte) are silently truncated." A thread without a name works as well.
    private func setName() {
        let fd = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard fd >= 0 else { return }
        var name = name
        name.withUTF8 { _ = write(fd, $0.baseAddress, $0.count) }
        close(fd)
    }
}

/// Jobs in order, waited for with a condition variable. `@unchecked` because the fields are guarded by the mutex.
private final class JobQueue: @unchecked Sendable {
    struct Entry {
        let job: UnownedJob
        let executor: ThreadExecutor
    }

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var entries: [Entry?] = []
    private var first = 0
    private var isStopped = false

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func push(_ entry: Entry) {
        pthread_mutex_lock(mutex)
        entries.append(entry)
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    func stop() {
        pthread_mutex_lock(mutex)
        isStopped = true
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    /// The next job, waited for; nil when stopped.
    func pop() -> Entry? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while first == entries.count {
            entries.removeAll(keepingCapacity: entries.capacity <= 1024)
            first = 0
            if isStopped { return nil }
            pthread_cond_wait(condition, mutex)
        }
        // Nothing of it stays here: the last reference to the executor must not go while the mutex is held, which `stop` needs.
        defer {
            entries[first] = nil
            first += 1
        }
        return entries[first]
    }
}
