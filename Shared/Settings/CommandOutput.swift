import LinuxDriver

/// What a command prints that was asked for: whoever reads the exit code learns whether all of it was written.
package enum CommandOutput {
    /// Prints to the standard output; the exit code, or the one that says that it could not be written. A reader that has gone away is not told so.
    package static func show(_ text: String, _ code: Int32) -> Int32 {
        guard let error = Output.tryWrite(text, to: Output.standard) else { return code }
        if !error.isClosedPipe { Output.errorLine("the standard output could not be written: " + error.reason) }
        return ExitCode.cannotWrite
    }
}
