import ArgumentParser
import CertificateInspection
import Foundation
import LinuxDriver

/// Runs a file of x509-limbo cases and compares.
@main
struct RunCases: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "run", abstract: "Runs cases in the x509-limbo format.")

    @Option(help: "The cases, JSON.") var cases: String
    @Option(help: "Lines of a case's id and why it is answered otherwise.") var known: String?
    @Option(help: "webpki, device or rfc5280.") var profile = "webpki"
    @Flag(help: "Machine-readable output.") var json = false
    @Flag(help: "Exit with 1 where a disagreement is not a known one.") var strict = false

    struct Disagreement: Encodable {
        let id: String
        let expected: String
        let got: String
        let profile: String
        let findings: String
        let reason: String?
    }

    struct Result: Encodable {
        var cases = 0
        var right = 0
        var false_accepts = 0
        var false_rejects = 0
        var by_expected: [String: [String: Int]] = [:]
        var slowest_seconds = 0.0
        var slowest = ""
        var seconds = 0.0
        var disagreements: [Disagreement] = []
    }

    func run() throws {
        guard let profile = ValidationProfile(profile) else { throw ValidationError("no such profile: \(profile)") }
        let reasons = try known.map(Self.reasons) ?? [:]
        let runner = CaseRunner(profile: profile)
        var result = Result()
        for one in try LimboCase.read(cases) {
            let began = Clock.monotonicNanoseconds()
            let outcome = runner.run(one)
            let seconds = Double(Clock.monotonicNanoseconds() - began) / 1e9
            result.seconds += seconds
            if seconds > result.slowest_seconds { (result.slowest_seconds, result.slowest) = (seconds, one.id) }
            note(outcome, of: one, reasons[one.id], in: &result)
        }
        show(result)
        if strict, result.disagreements.contains(where: { $0.reason == nil }) { throw ExitCode(1) }
    }

    private func note(_ outcome: CaseRunner.Outcome, of one: LimboCase, _ reason: String?, in result: inout Result) {
        result.cases += 1
        let isRight = outcome.isAccepted == one.isValid
        result.by_expected[one.expectedResult, default: ["cases": 0, "right": 0]]["cases"]! += 1
        guard !isRight else {
            result.right += 1
            result.by_expected[one.expectedResult]!["right"]! += 1
            return
        }
        if outcome.isAccepted { result.false_accepts += 1 } else { result.false_rejects += 1 }
        result.disagreements.append(
            Disagreement(
                id: one.id, expected: one.expectedResult, got: outcome.isAccepted ? "SUCCESS" : "FAILURE", profile: outcome.profile.name,
                findings: outcome.reason, reason: reason))
    }

    private func show(_ result: Result) {
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            print(String(decoding: (try? encoder.encode(result)) ?? Data(), as: UTF8.self))
            return
        }
        for (expected, counts) in result.by_expected.sorted(by: { $0.key < $1.key }) {
            print("expected \(expected): \(counts["right"] ?? 0) right of \(counts["cases"] ?? 0)")
        }
        print("\(result.right) of \(result.cases) right, \(result.false_accepts) false accepts, \(result.false_rejects) false rejects")
        for one in result.disagreements {
            print("  \(one.id): expected \(one.expected), got \(one.got) [\(one.profile)] \(one.findings)")
            print("    \(one.reason ?? "(no reason known)")")
        }
        print(String(format: "%.3f s in all; the slowest took %.3f s: ", result.seconds, result.slowest_seconds) + result.slowest)
    }

    /// Lines of an id, white space, and the reason; empty lines and those with # are comments.
    private static func reasons(_ path: String) throws -> [String: String] {
        var reasons: [String: String] = [:]
        for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: " ", maxSplits: 1)
            if parts.count == 2 { reasons[String(parts[0])] = parts[1].trimmingCharacters(in: .whitespaces) }
        }
        return reasons
    }
}
