import AgentBuffer
import LinuxDriver
import Settings
import Telemetry

/// `farwatch-agent buffer verify`: whether all of a buffer's file is as it was written.
struct BufferVerify {
    let path: String
    let asJSON: Bool

    func run() throws(BufferError) -> Int32 {
        // A script that asked for JSON gets it, whatever is wrong.
        do throws(BufferError) {
            guard let found = try BufferVerification(path) else {
                return asJSON ? unreadable("there is no buffer at " + path) : BufferCommand.missing(path)
            }
            return show(found)
        } catch {
            guard asJSON else { throw error }
            return unreadable(error.description)
        }
    }

    private func show(_ found: BufferVerification) -> Int32 {
        let code = found.isWhole ? ExitCode.ok : ExitCode.failure
        if asJSON { return BufferCommand.show(json(found, found.problems, found.problemsCount) + "\n", code) }
        var text = ""
        for problem in found.problems { text += problem + "\n" }
        text += BufferCommand.counted(Int64(found.batches), "batch", "batches") + " with " + BufferCommand.counted(found.samples, "sample", "samples")
        text += ", " + BufferCommand.counted(Int64(found.tickRows), "unsealed tick", "unsealed ticks")
        text += ": " + (found.isWhole ? "whole" : BufferCommand.counted(Int64(found.problemsCount), "problem", "problems")) + "\n"
        return BufferCommand.show(text, code)
    }

    private func unreadable(_ reason: String) -> Int32 { BufferCommand.show(json(nil, [reason], 1) + "\n", ExitCode.failure) }

    private func json(_ found: BufferVerification?, _ problems: [String], _ problemsCount: Int) -> String {
        var writer = JSONWriter()
        writer.object { json in
            json.bool("whole", problemsCount == 0)
            json.integer("batches", Int64(found?.batches ?? 0))
            json.integer("samples", found?.samples ?? 0)
            json.integer("unsealed_ticks", Int64(found?.tickRows ?? 0))
            json.integer("problems_count", Int64(problemsCount))
            json.array("problems") { json in for problem in problems { json.string(nil, problem) } }
        }
        return writer.text
    }
}
