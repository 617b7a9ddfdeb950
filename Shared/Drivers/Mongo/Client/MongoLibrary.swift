import CMongo
import Glibc
import Synchronization

/// libmongoc's own state: "Call mongoc_init() exactly once at the beginning of your program."
package enum MongoLibrary {
    static let started: Void = {
        mongoc_init()
        // By itself it writes to standard error.
        mongoc_log_set_handler({ level, _, message, _ in MongoLibrary.logged(level, message) }, nil)
    }()

    /// At the beginning of a program that links it. As it is loaded, before the program's own first line, it lays its counters into shared memory by the
    /// process' number. A process that is killed would leave them there for good, and the next of its number would warn of them on standard error.
    package static func forgetCounters() { shm_unlink("/mongoc-\(getpid())") }

    private struct Warnings {
        let thread: pthread_t
        var texts: [String] = []
    }

    private static let warnings = Mutex<Warnings?>(nil)
    /// Held by who collects: one at a time.
    private static let collecting = Mutex(())
    private static let warningsMax = 16

    /// What libmongoc warns of on this thread while `body` runs. It tells of options that it does not know by its log alone.
    static func collectingWarnings<Value: Sendable>(_ body: () -> Value) -> (Value, [String]) {
        _ = started
        return collecting.withLock { _ in
            warnings.withLock { $0 = Warnings(thread: pthread_self()) }
            let value = body()
            return (value, warnings.withLock { $0.take()?.texts ?? [] })
        }
    }

    private static func logged(_ level: mongoc_log_level_t, _ message: UnsafePointer<CChar>?) {
        guard let message, level.rawValue <= MONGOC_LOG_LEVEL_WARNING.rawValue else { return }
        let text = String(cString: message)
        warnings.withLock { warnings in
            // libmongoc's own threads have something to say, too.
            guard let thread = warnings?.thread, pthread_equal(thread, pthread_self()) != 0 else { return }
            if warnings?.texts.count ?? 0 < warningsMax { warnings?.texts.append(text) }
        }
    }
}
