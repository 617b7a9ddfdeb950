import Telemetry

/// What the sync is doing, for the status and the log.
package struct SyncStatus: Sendable {
    package let liveInFlight: Int
    package let backlogInFlight: Int
    package let bytesInFlight: Int
    /// Whether there may be batches that this connection has not sent yet.
    package let hasBacklog: Bool
    /// The broker is there, but no collector has answered for a time-out.
    package let isCollectorSilent: Bool
    /// It has been so for several time-outs.
    package let isUnanswered: Bool
    /// What the backlog may have on its way at present, in bytes.
    package let windowBytes: Int
    /// Milliseconds; nil before the first acknowledgement.
    package let shortestRoundTrip: Int64?
    /// What the collector asks for, in bytes a second, and for how many milliseconds it still holds.
    package let pace: (bytesPerSecond: Int64, endsIn: Int64)?
    package let backlogBytesPerSecond: Int64?
    package let bytesPerHour: Int64?
    /// What the hourly budget lets go at once, in bytes; negative for a debt.
    package let hourlyLeft: Int64?
    package let batchesResent: UInt64

    package func write(into json: inout JSONWriter) {
        json.object("sync") { json in
            json.integer("live_batches_in_flight", Int64(liveInFlight))
            json.integer("backlog_batches_in_flight", Int64(backlogInFlight))
            json.integer("bytes_in_flight", Int64(bytesInFlight))
            json.integer("backlog_window_bytes", Int64(windowBytes))
            json.bool("backlog_waits", hasBacklog)
            json.bool("collector_answers", !isCollectorSilent)
            json.integer("batches_resent", Int64(clamping: batchesResent))
            if let shortestRoundTrip { json.number("round_trip_seconds", Double(shortestRoundTrip) / 1_000) }
            if let pace {
                json.integer("pace_bytes_per_second", pace.bytesPerSecond)
                json.number("pace_ends_in_seconds", Double(pace.endsIn) / 1_000)
            }
            if let backlogBytesPerSecond { json.integer("backlog_rate_bytes_per_second", backlogBytesPerSecond) }
            if let bytesPerHour { json.integer("hourly_budget_bytes", bytesPerHour) }
            if let hourlyLeft { json.integer("hourly_budget_ready_bytes", hourlyLeft) }
        }
    }
}
