import Testing

extension Integration {
    /// The operator's command line where there is no collector to ask.
    @Suite struct OperatorTests {
        @Test(arguments: [
            ["quarantine", "replay"], ["quarantine", "replay", "0"], ["quarantine", "replay", "--all", "--device", ""],
            ["quarantine", "replay", "--all", "--reason", ""], ["quarantine", "list", "--device", "a b"], ["devices", "completeness", "../x"],
            ["devices", "list", "--collector", "http://127.0.0.1:99999"], ["devices", "list", "--collector", "http://127.0.0.1:port"],
            ["devices", "list", "--collector", ""], ["devices", "list", "--collector", "mqtt://127.0.0.1"],
        ])
        func `what makes no sense is wrong usage, and asks nobody`(arguments: [String]) throws {
            let answer = try RunningProcess.run(Programs.operatorCommand, arguments, environment: ["FARWATCH_COLLECTOR": "http://127.0.0.1:1"])
            #expect(answer.code == 64, "\(answer.output)")
        }

        @Test func `a collector that is not there is told by its address and why`() throws {
            let answer = try RunningProcess.run(Programs.operatorCommand, ["devices", "list", "--collector", "http://127.0.0.1:1"])
            #expect(answer.code == 69)
            #expect(answer.output.contains("http://127.0.0.1:1: connection refused"), "\(answer.output)")
        }
    }
}
