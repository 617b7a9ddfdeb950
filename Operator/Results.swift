import LinuxDriver

/// What a command prints. A result that cannot be written is a failure, not a success without words.
enum Results {
    static func line(_ text: String) throws {
        guard let error = Output.tryWrite(text + "\n", to: 1) else { return }
        // Whoever reads has gone; that needs no words.
        if !error.isClosedPipe { Output.errorLine("farwatch: cannot write the result: " + error.reason) }
        throw Exit.cannotWrite
    }
}
