import ArgumentParser
import ChaosCheck
import Foundation

/// farwatch-chaos-check: what a run of `Tests/Chaos` produced against what is stored.
@main
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "farwatch-chaos-check", abstract: "Compares what simulated devices produced with what a collector stored, sample by sample.",
        discussion: "Exit codes: 0 nothing is lost, doubled or altered, 1 something is, 64 wrong usage, 70 something cannot be read.")

    @Option(help: "The collector's data directory.") var store: String
    @Option(help: "The directory with what each device wrote down.") var truth: String
    @Option(help: "The directory with the devices' buffers.") var buffers: String
    @Option(help: "The directory with copies of buffers from before they were damaged.") var damages: String
    @Option(help: "A file that tells when real agents were running.") var agents: String?
    @Option(help: "Tampers with a copy of the store first: lose, double or alter.") var canary: String?

    func run() throws {
        do {
            let account = try FleetAccount(
                FleetAccount.Places(store: try tampered(), truth: truth, buffers: buffers, damages: damages, agents: agents))
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(account), as: UTF8.self))
            if !account.isWhole { throw ExitCode(1) }
        } catch let code as ExitCode {
            throw code
        } catch {
            FileHandle.standardError.write(Data("farwatch-chaos-check: \(error)\n".utf8))
            throw ExitCode(70)
        }
    }

    /// The store's directory: its own, or a copy that was tampered with.
    private func tampered() throws -> String {
        guard let canary else { return store }
        guard let tampering = Tampering(rawValue: canary) else { throw ValidationError("--canary takes lose, double or alter, not \"\(canary)\".") }
        let copy = store + "-canary"
        try? FileManager.default.removeItem(atPath: copy)
        try FileManager.default.copyItem(atPath: store, toPath: copy)
        let first = try FileManager.default.contentsOfDirectory(atPath: truth).filter { $0.hasSuffix(".truth") }.sorted().first ?? ""
        try tampering.tamper(directory: copy, device: String(first.dropLast(".truth".count)))
        return copy
    }
}
