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
        // Another device's file has another device's bound.
        let limits = options.file == nil ? settings.bufferLimits : nil
        do throws(BufferError) {
            switch action {
            case .status: return try status(path, limits, asJSON: options.json)
            case .verify: return try BufferVerify(path: path, asJSON: options.json).run()
            case .export:
                var export = BufferExport(path, configured: settings.bufferPath, options)
                return try export.run()
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

    /// Prints to the standard output; the exit code, or the one that says that it could not be written.
    static func show(_ text: String, _ code: Int32) -> Int32 {
        do throws(SystemError) {
            try OutputFile.standard.write(Array(text.utf8))
            return code
        } catch {
            Output.errorLine("farwatch-agent: " + error.description)
            return ExitCode.cannotWrite
        }
    }

    /// `1 batch`, `2 batches`.
    static func counted(_ number: Int64, _ one: String, _ many: String) -> String { String(number) + " " + (number == 1 ? one : many) }

    // MARK: Status

    private static func status(_ path: String, _ limits: BufferLimits?, asJSON: Bool) throws(BufferError) -> Int32 {
        guard let status = try BufferStatus.read(path, limits: limits) else { return missing(path) }
        if asJSON { return show(json(status) + "\n", ExitCode.ok) }
        var text = ""
        for (name, value) in rows(status) { text += name + String(repeating: " ", count: max(1, 20 - name.utf8.count)) + value + "\n" }
        return show(text, ExitCode.ok)
    }

    private static func rows(_ status: BufferStatus) -> [(String, String)] {
        var rows: [(String, String)] = [
            ("stream", String(status.stream, radix: 16)),
            ("files", mebibytes(status.fileBytes) + (status.bytesMax > 0 ? " of at most " + mebibytes(status.bytesMax) : "")),
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
        if status.isLogDamaged { rows.append(("log", "damaged: what was written after the damage is not counted")) }
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
            if status.bytesMax > 0 { json.integer("bytes_max", status.bytesMax) }
            json.integer("used_bytes", status.usedBytes)
            json.integer("batches", status.batches)
            json.integer("batch_bytes", status.batchBytes)
            json.integer("samples", status.samples)
            json.integer("thinned_batches", status.thinnedBatches)
            json.integer("documents_and_events", status.urgentBatches)
            json.integer("sequences_maybe_sent", Int64(clamping: status.sentSequences))
            json.integer("unsealed_ticks", status.unsealedTicks)
            json.integer("receipts_owed", Int64(status.receiptsOwed))
            json.bool("log_damaged", status.isLogDamaged)
            if let oldest = status.oldestAt { json.string("oldest_at", Timestamp.text(oldest)) }
            if let newest = status.newestAt { json.string("newest_at", Timestamp.text(newest)) }
            if let days = status.daysLeft { json.number("days_left", days) }
        }
        return writer.text
    }
}
