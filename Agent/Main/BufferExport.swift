import AgentBuffer
import LinuxDriver
import Settings
import Telemetry

/// `farwatch-agent buffer export`: all batches of a buffer, as they are or as lines that people and other programs read.
///
/// As they are: for each batch its length, a uint32, little-endian, and its bytes as `Shared/README.md` has them; nothing in front, nothing behind.
struct BufferExport {
    private let path: String
    private let configured: String
    private let options: CommandLineArguments.Options
    /// Those that end an export to a file.
    private var signals: Signals?

    /// - Parameter configured: the path of this device's own buffer, which must not be written over whatever is exported.
    init(_ path: String, configured: String, _ options: CommandLineArguments.Options) {
        self.path = path
        self.configured = configured
        self.options = options
    }

    mutating func run() throws(BufferError) -> Int32 {
        if let target, BufferFiles.include(target, of: path) || BufferFiles.include(target, of: configured) || BufferFiles.isOfAny(target) {
            Output.errorLine("farwatch-agent: " + target + " is a database or one of a buffer's own files; an export must not take its place")
            return ExitCode.usage
        }
        guard let contents = try BufferContents(path, isAside: options.file != nil) else { return BufferCommand.missing(path) }
        guard contents.isBuffer else {
            Output.errorLine("farwatch-agent: " + path + " is no buffer, or nothing of it can be read")
            return ExitCode.failure
        }
        let output: OutputFile
        do throws(SystemError) {
            // What is half written is removed before the end. A pipe may keep the writer waiting: there the signals have their usual effect.
            if let target, !Self.isPipe(target) { signals = try Signals([Signals.interrupt, Signals.terminate, Signals.hangUp]) }
            output = if let target { try OutputFile(target, replacing: options.force) } else { OutputFile.standard }
        } catch {
            Output.errorLine("farwatch-agent: " + (error.isPresent ? error.subject + " exists; --force replaces it" : error.description))
            return ExitCode.cannotCreate
        }
        do throws(SystemError) { return try write(contents, to: output) } catch {
            Output.errorLine("farwatch-agent: the export is not written to its end: " + error.description)
            return ExitCode.cannotWrite
        }
    }

    private static func isPipe(_ target: String) -> Bool { (try? FileIdentity.of(target))?.kind == .other }

    /// Nil for the standard output.
    private var target: String? { options.output == "-" ? nil : options.output }

    private func write(_ contents: BufferContents, to output: OutputFile) throws(SystemError) -> Int32 {
        var batches = 0
        var unreadable = 0
        var failure: BufferError?
        if options.csv { try output.write(Array("time,series,value\n".utf8)) }
        while true {
            if let signal = signals?.next() {
                Output.errorLine("farwatch-agent: interrupted; nothing is exported")
                return ExitCode.interrupted(by: signal)
            }
            let next: (batch: Batch, bytes: [UInt8])?
            do throws(BufferError) { next = try contents.nextBatch() } catch {
                failure = error
                break
            }
            guard let (batch, bytes) = next else { break }
            guard let text = options.json ? jsonLines(batch) : options.csv ? csvLines(batch) : framed(bytes) else {
                unreadable += 1
                continue
            }
            try output.write(text)
            batches += 1
        }
        try output.finish()
        return tell(contents, batches, unreadable, failure)
    }

    /// Says what is not in the export, if anything.
    private func tell(_ contents: BufferContents, _ batches: Int, _ unreadable: Int, _ failure: BufferError?) -> Int32 {
        let leftOut = contents.leftOut + unreadable
        var problems: [String] = []
        if contents.isLogDamaged { problems.append("the file's log is damaged: what is in it was looked for page by page, and may not be all") }
        if contents.isDamaged { problems.append("pages of the file are damaged: the others were looked at one by one") }
        if leftOut > 0 { problems.append("left out: " + BufferCommand.counted(Int64(leftOut), "damaged row", "damaged rows")) }
        if contents.isAccountLost { problems.append("the file's account of itself is damaged: how much is missing is not known") }
        if let failure { problems.append("left out is what came later: " + failure.description) }
        if options.output != nil { Output.errorLine(BufferCommand.counted(Int64(batches), "batch", "batches") + " exported") }
        for problem in problems { Output.errorLine("farwatch-agent: " + problem) }
        return problems.isEmpty ? ExitCode.ok : ExitCode.failure
    }

    private func framed(_ bytes: [UInt8]) -> [UInt8] {
        var writer = ByteWriter(capacity: bytes.count + 4)
        writer.uint32(UInt32(bytes.count))
        writer.append(bytes)
        return writer.bytes
    }

    /// A line a tick: `{"at":…,"values":{…}}`; a line a document or event: `{"at":…,"event":{…}}`.
    private func jsonLines(_ batch: Batch) -> [UInt8]? {
        guard let ticks = ticks(batch) else { return nil }
        var text = ""
        for tick in ticks {
            var writer = JSONWriter()
            writer.object { json in
                json.string("at", Timestamp.text(tick.at))
                if batch.resolution > 0 { json.integer("resolution", Int64(batch.resolution)) }
                json.object("values") { json in for reading in tick.readings { json.number(reading.series.description, reading.value) } }
            }
            text += writer.text + "\n"
        }
        if batch.kind != .samples {
            var writer = JSONWriter()
            writer.object { json in
                json.string("at", Timestamp.text(batch.sealedAt))
                json.raw(batch.kind.name, String(decoding: batch.payload, as: UTF8.self))
            }
            text += writer.text + "\n"
        }
        return Array(text.utf8)
    }

    /// A line a sample; documents and events have none.
    private func csvLines(_ batch: Batch) -> [UInt8]? {
        guard let ticks = ticks(batch) else { return nil }
        var text = ""
        for tick in ticks {
            let at = Timestamp.text(tick.at)
            for reading in tick.readings { text += at + "," + Self.quoted(reading.series.description) + "," + reading.value.description + "\n" }
        }
        return Array(text.utf8)
    }

    /// None for a document or an event; nil for samples that cannot be read.
    private func ticks(_ batch: Batch) -> [Tick]? {
        guard batch.kind == .samples else { return [] }
        return (try? Block(decoding: batch.payload))?.ticks()
    }

    /// RFC 4180, section 2: a field with quotes, commas or line breaks stands in quotes, and its quotes are doubled.
    private static func quoted(_ text: String) -> String {
        let needsQuotes = text.utf8.contains { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: ",") || $0 == 10 || $0 == 13 }
        guard needsQuotes else { return text }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" { quoted += "\"" }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "\""
    }
}
