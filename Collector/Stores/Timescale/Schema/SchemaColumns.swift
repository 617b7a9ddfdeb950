/// The columns that this program reads and writes, as all migrations together leave them: for the check of a database that others may have changed.
package enum SchemaColumns {
    package struct Column: Equatable, Sendable {
        package let name: String
        /// PostgreSQL's short name.
        package let type: String
    }

    package static let all: [(table: String, columns: [Column])] = text.split(separator: "\n").map { line in
        let words = line.split(separator: " ")
        let columns = words.dropFirst().map { word in
            let parts = word.split(separator: ":")
            return Column(name: String(parts[0]), type: String(parts[1]))
        }
        return (String(words[0]), columns)
    }

    private static let rollup =
        "series:int8 bucket:timestamptz count:int8 mean:float8 min:float8 max:float8 last:float8 last_at:timestamptz"

    /// A line a table, or more.
    private static let text = """
        device_metrics id:int8 device_id:varchar cpu_usage:float8 memory_usage:float8 network_latency:float8 \
        certificate_status:varchar timestamp:timestamptz
        metric_samples series:int8 timestamp:timestamptz value:float8
        sample_batches device:int8 stream:int8 first:int8 last:int8 started:timestamptz timestamp:timestamptz interval_ms:int8 \
        ticks:int4 samples:int8 resolution:int4 pauses:bytea
        rollups_1m \(rollup) first_at:timestamptz area:float8
        rollups_5m \(rollup)
        rollups_1h \(rollup)
        rollups_1d \(rollup)
        devices number:int8 device:varchar batches:int8 samples:int8 bytes:int8 span_ms:int8 latest_end:timestamptz \
        latest_start:timestamptz latest:bytea latest_writer:int8 latest_transaction:int8
        metric_series id:int8 device:int8 key:bytea metric:text labels:jsonb
        stream_accounts device:int8 stream:int8 floor:int8 closed:bytea refused:bytea
        eviction_receipts id:int8 device:int8 stream:int8 action:text cause:text resolution:int4 sequences:bytea from_ms:int8 \
        to_ms:int8 ticks:int8 samples:int8 samples_left:int8
        quarantine id:int8 device:text reason:text at_ms:int8 stream:int8 first:int8 last:int8 bytes:bytea
        certificate_metrics id:int8 certificate_id:varchar validation_time:float8 response_time:float8 security_score:float8 \
        timestamp:timestamptz
        blockchain_metrics id:int8 transaction_hash:varchar chain_id:int4 gas_used:int8 confirmation_time:float8 status:varchar \
        timestamp:timestamptz
        quantum_metrics id:int8 certificate_id:varchar key_size:int4 encryption_time:float8 decryption_time:float8 \
        algorithm:varchar timestamp:timestamptz
        alert_rules id:int8 name:text expression:text for_seconds:float8 labels:jsonb annotations:jsonb is_enabled:bool \
        version:int8 changed_at:timestamptz
        alert_instances id:int8 rule:int8 labels:jsonb state:text value:float8 active_at:timestamptz fired_at:timestamptz \
        resolved_at:timestamptz
        dashboards id:int8 name:text definition:jsonb version:int8 changed_at:timestamptz
        """
}
