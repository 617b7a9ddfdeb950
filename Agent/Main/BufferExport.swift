import AgentBuffer
import LinuxDriver
import Settings
import Telemetry

/// `farwatch-agent buffer export`: all batches of a buffer, as they are or as lines that people and other programs read.
///
/// As they are: for each batch its length, a uint32, little-endian, and its bytes as `Shared/README.md` has them; nothing in front, nothing behind.
struct BufferExport {
    private let path: String
    private let options: CommandLineArguments.Options

    init(_ path: String, _ options: CommandLineArguments.Options) {
        self.path = path
        self.options = options
    }

    func run() throws(BufferError) -> Int32 {
        guard let contents = try BufferContents(path, isAside: options.file != nil) else { return BufferCommand.missing(path) }
        guard let output = options.output.map({ OutputFile($0) }) ?? OutputFile.standard else {
            Output.errorLine("farwatch-agent: cannot write " + (options.output ?? ""))
            return ExitCode.cannotCreate
        }
        var batches = 0
        if options.csv { guard output.write(Array("time,series,value\n".utf8)) else { return failed() } }
        while let (batch, bytes) = try contents.nextBatch() {
            guard output.write(options.json ? jsonLines(batch) : options.csv ? csvLines(batch) : framed(bytes)) else { return failed() }
            batches += 1
        }
        let damaged = contents.damaged > 0 ? ", " + String(contents.damaged) + " damaged ones left out" : ""
        if options.output != nil || contents.damaged > 0 { Output.errorLine(String(batches) + " batches exported" + damaged) }
        return ExitCode.ok
    }

    private func failed() -> Int32 {
        Output.errorLine("farwatch-agent: the export could not be written to its end")
        return ExitCode.failure
    }

    private func framed(_ bytes: [UInt8]) -> [UInt8] {
        var writer = ByteWriter(capacity: bytes.count + 4)
        writer.uint32(UInt32(bytes.count))
        writer.append(bytes)
        return writer.bytes
    }

    /// A line a tick: `{"at":…,"values":{…}}`; a line a document or event: `{"at":…,"event":{…}}`.
    private func jsonLines(_ batch: Batch) -> [UInt8] {
        var text = ""
        for tick in ticks(batch) {
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
    private func csvLines(_ batch: Batch) -> [UInt8] {
        var text = ""
        for tick in ticks(batch) {
            let at = Timestamp.text(tick.at)
            for reading in tick.readings { text += at + "," + Self.quoted(reading.series.description) + "," + reading.value.description + "\n" }
        }
        return Array(text.utf8)
    }

    private func ticks(_ batch: Batch) -> [Tick] {
        guard batch.kind == .samples, let block = try? Block(decoding: batch.payload) else { return [] }
        return block.ticks()
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
