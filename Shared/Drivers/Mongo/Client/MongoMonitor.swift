import CMongo
import Synchronization

/// A command that the server has answered, or has not.
package struct MongoCommandEvent: Sendable {
    /// `find`, `update`, `commitTransaction`, …
    package let name: String
    package let seconds: Double
    package let isSuccess: Bool
}

/// Told of every command by libmongoc, from whichever thread runs it.
final class MongoMonitor: Sendable {
    private let onCommand: @Sendable (MongoCommandEvent) -> Void

    init(_ onCommand: @escaping @Sendable (MongoCommandEvent) -> Void) { self.onCommand = onCommand }

    /// The pool keeps what it is given for as long as it is there, and so must the monitor be kept.
    func attach(to pool: OpaquePointer) {
        let callbacks = mongoc_apm_callbacks_new()
        defer { mongoc_apm_callbacks_destroy(callbacks) }
        mongoc_apm_set_command_succeeded_cb(callbacks) { event in
            guard let event, let context = mongoc_apm_command_succeeded_get_context(event) else { return }
            MongoMonitor.at(context).told(
                mongoc_apm_command_succeeded_get_command_name(event), mongoc_apm_command_succeeded_get_duration(event), isSuccess: true)
        }
        mongoc_apm_set_command_failed_cb(callbacks) { event in
            guard let event, let context = mongoc_apm_command_failed_get_context(event) else { return }
            MongoMonitor.at(context).told(
                mongoc_apm_command_failed_get_command_name(event), mongoc_apm_command_failed_get_duration(event), isSuccess: false)
        }
        mongoc_client_pool_set_apm_callbacks(pool, callbacks, Unmanaged.passUnretained(self).toOpaque())
    }

    private static func at(_ context: UnsafeMutableRawPointer) -> MongoMonitor { Unmanaged.fromOpaque(context).takeUnretainedValue() }

    /// - Parameter microseconds: as libmongoc measures.
    private func told(_ name: UnsafePointer<CChar>?, _ microseconds: Int64, isSuccess: Bool) {
        guard let name else { return }
        onCommand(MongoCommandEvent(name: String(cString: name), seconds: Double(microseconds) / 1e6, isSuccess: isSuccess))
    }
}
