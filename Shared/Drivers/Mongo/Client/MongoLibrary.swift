import CMongo
import Glibc
import Synchronization

/// libmongoc's own state: "Call mongoc_init() exactly once at the beginning of your program."
enum MongoLibrary {
    static let started: Void = {
        // Its counters lie in shared memory by the process' number, which a process that was killed leaves behind: the next of that number would warn on
        // standard error, among what a command prints.
        setenv("MONGOC_DISABLE_SHM", "1", 0)
        mongoc_init()
        // By itself it writes to standard error.
        mongoc_log_set_handler({ level, _, message, _ in MongoLibrary.logged(level, message) }, nil)
    }()

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
