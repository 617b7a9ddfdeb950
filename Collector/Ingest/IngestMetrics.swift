import ServiceSupport

/// What ingestion counts.
struct IngestMetrics: Sendable {
    let batches: Counter
    let samples: Counter
    let bytes: Counter
    let refused: Counter
    let pushedOut: Counter
    let dropped: Counter
    let untaken: Counter
    let acknowledgements: Counter
    let failures: Counter
    let commitDuration: Histogram
    let groupSize: Histogram

    init(_ registry: MetricsRegistry) {
        batches = registry.counter(
            "farwatch_ingest_batches_total", "Batches by kind and outcome: committed, duplicate or refused.", labels: ["kind", "outcome"])
        samples = registry.counter("farwatch_ingest_samples_total", "Samples committed.")
        bytes = registry.counter("farwatch_ingest_bytes_total", "Bytes of messages taken from the queue.")
        refused = registry.counter("farwatch_ingest_refused_total", "Messages that will never be accepted, by reason.", labels: ["reason"])
        pushedOut = registry.counter(
            "farwatch_quarantine_pushed_out_total", "Refused messages that are kept no more, because newer ones filled the quarantine.")
        dropped = registry.counter("farwatch_ingest_dropped_total", "Messages dropped because the queue was full; devices send them again.")
        untaken = registry.counter(
            "farwatch_ingest_untaken_total", "Documents and events not taken because their store was down; devices send them again.")
        acknowledgements = registry.counter("farwatch_ingest_acknowledgements_total", "Acknowledgement messages sent.")
        failures = registry.counter("farwatch_ingest_failures_total", "Attempts to write a group that failed; each is tried again.")
        commitDuration = registry.histogram("farwatch_ingest_commit_duration_seconds", "How long writing a group took.")
        groupSize = registry.histogram(
            "farwatch_ingest_group_messages", "Messages written together.", bounds: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000])
    }
}
