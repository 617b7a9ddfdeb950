import AgentBuffer
import AgentDaemon
import LinuxDriver
import Settings
import Telemetry

/// `farwatch-agent buffer status | verify | export`: looks into the buffer's file, also while the agent runs, and changes nothing.
enum BufferCommand {
    enum Action { case status, verify, export }

    static func run(_ action: Action, _ settings: AgentSettings, _ options: CommandLineArguments.Options) -> Int32 {
        let path = options.file ?? settings.bufferPath
        do throws(BufferError) {
            switch action {
            case .status: return try status(path, settings.bufferLimits, asJSON: options.json)
            case .verify: return try verify(path, asJSON: options.json)
            case .export: return try BufferExport(path, options).run()
            }
        } catch {
            Output.errorLine("farwatch-agent: " + error.description)
            return ExitCode.failure
        }
    }

    static func missing(_ path: String) -> Int32 {
        Output.errorLine("farwatch-agent: there is no buffer at " + path)
        return ExitCode.failure
    }

    // MARK: Status

    private static func status(_ path: String, _ limits: BufferLimits, asJSON: Bool) throws(BufferError) -> Int32 {
        guard let status = try BufferStatus.read(path, limits: limits) else { return missing(path) }
        if asJSON {
            Output.line(json(status))
        } else {
            for (name, value) in rows(status) { Output.line(name + String(repeating: " ", count: max(1, 20 - name.utf8.count)) + value) }
        }
        return ExitCode.ok
    }

    private static func rows(_ status: BufferStatus) -> [(String, String)] {
        var rows: [(String, String)] = [
            ("stream", String(status.stream, radix: 16)),
            ("files", mebibytes(status.fileBytes) + " of at most " + mebibytes(status.bytesMax)),
            ("in use", mebibytes(status.usedBytes)),
            ("batches", String(status.batches) + ", newest sequence " + String(status.newestSequence)),
            ("  thinned", String(status.thinnedBatches)),
            ("  documents, events", String(status.urgentBatches)),
            ("  maybe sent", String(status.sentSequences)),
            ("samples", String(status.samples)),
            ("unsealed ticks", String(status.unsealedTicks)),
            ("receipts owed", String(status.receiptsOwed)),
        ]
        if let oldest = status.oldestAt { rows.append(("oldest", Timestamp.text(oldest))) }
        if let newest = status.newestAt { rows.append(("newest", Timestamp.text(newest))) }
        if let days = status.daysLeft { rows.append(("days left", decimal(days) + " at the rate at which these came")) }
        return rows
    }

    private static func mebibytes(_ bytes: Int64) -> String { decimal(Double(bytes) / 1_048_576) + " MiB" }

    private static func decimal(_ value: Double) -> String { ((min(value, 1e9) * 10).rounded() / 10).description }

    private static func json(_ status: BufferStatus) -> String {
        var writer = JSONWriter()
        writer.object { json in
            json.string("stream", String(status.stream, radix: 16))
            json.integer("newest_sequence", Int64(clamping: status.newestSequence))
            json.integer("file_bytes", status.fileBytes)
            json.integer("bytes_max", status.bytesMax)
            json.integer("used_bytes", status.usedBytes)
            json.integer("batches", status.batches)
            json.integer("batch_bytes", status.batchBytes)
            json.integer("samples", status.samples)
            json.integer("thinned_batches", status.thinnedBatches)
            json.integer("documents_and_events", status.urgentBatches)
            json.integer("sequences_maybe_sent", Int64(clamping: status.sentSequences))
            json.integer("unsealed_ticks", status.unsealedTicks)
            json.integer("receipts_owed", Int64(status.receiptsOwed))
            if let oldest = status.oldestAt { json.string("oldest_at", Timestamp.text(oldest)) }
            if let newest = status.newestAt { json.string("newest_at", Timestamp.text(newest)) }
            if let days = status.daysLeft { json.number("days_left", days) }
        }
        return writer.text
    }

    // MARK: Verify

    private static func verify(_ path: String, asJSON: Bool) throws(BufferError) -> Int32 {
        guard let reader = try BufferReader(path) else { return missing(path) }
        let found = try BufferVerification(reader)
        if asJSON {
            var writer = JSONWriter()
            writer.object { json in
                json.bool("whole", found.isWhole)
                json.integer("batches", Int64(found.batches))
                json.integer("samples", Int64(found.samples))
                json.integer("tick_rows", Int64(found.tickRows))
                json.integer("problems_count", Int64(found.problemsCount))
                json.array("problems") { json in for problem in found.problems { json.string(nil, problem) } }
            }
            Output.line(writer.text)
        } else {
            for problem in found.problems { Output.line(problem) }
            let counts = String(found.batches) + " batches with " + String(found.samples) + " samples, " + String(found.tickRows) + " rows of ticks"
            Output.line(counts + (found.isWhole ? ": whole" : ": " + String(found.problemsCount) + " problems"))
        }
        return found.isWhole ? ExitCode.ok : ExitCode.failure
    }
}
