import AgentBuffer
import Foundation
import SQLiteDriver
import Telemetry
import Testing

extension Integration {
    /// `farwatch-agent buffer`: what it says, and that it never harms what it looks at.
    @Suite final class BufferCommandTests {
        private let directory = FileManager.default.temporaryDirectory.appending(path: "command-\(UUID().uuidString.prefix(8))").path
        private var path: String { directory + "/b.sqlite" }
        private var output: String { directory + "/out" }

        init() throws {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            let buffer = try Buffer(path: path, device: DeviceId("edge-1")!)
            for number in 0..<3 { try buffer.append(.event, json: "{\"type\":\"e\(number)\"}", goingOut: false) }
        }

        deinit { try? FileManager.default.removeItem(atPath: directory) }

        private func run(_ arguments: [String]) throws -> (code: Int32, output: String) {
            try RunningProcess.run(Programs.agent, arguments, environment: ["FARWATCH_BUFFER_PATH": path, "FARWATCH_DEVICE_ID": "edge-1"])
        }

        private func bytes(_ path: String) -> Data? { try? Data(contentsOf: URL(filePath: path)) }

        @Test func `an export never takes the place of a buffer's own file, by whatever name`() throws {
            let files = FileManager.default
            try files.createSymbolicLink(atPath: directory + "/symbolic", withDestinationPath: path)
            try files.linkItem(atPath: path, toPath: directory + "/hard")
            try files.createSymbolicLink(atPath: directory + "/folder", withDestinationPath: directory)
            let before = try #require(bytes(path))
            let names = ["b.sqlite", "b.sqlite-wal", "b.sqlite-shm", "b.sqlite-journal", "b.sqlite.lock", "b.sqlite.reserve", "b.sqlite.damaged-7"]
            let targets =
                names.map { directory + "/" + $0 } + ["symbolic", "hard", "folder/b.sqlite", "folder/b.sqlite-wal"].map { directory + "/" + $0 }
            for target in targets {
                let there = files.fileExists(atPath: target)
                let other = directory + "/hard"
                for source in [[], ["--file", path], ["--file", other], ["--file", directory + "/symbolic"]] {
                    let result = try run(["buffer", "export", "--force", "--output", target] + source)
                    #expect(result.code == 64, "\(target) \(source): \(result.output)")
                }
                #expect(files.fileExists(atPath: target) == there)
            }
            #expect(bytes(path) == before)
        }

        @Test func `a file that exists is replaced only when that is asked for, and by a whole one`() throws {
            try Data("mine".utf8).write(to: URL(filePath: output))
            #expect(try run(["buffer", "export", "--json", "--output", output]).code == 73)
            #expect(bytes(output) == Data("mine".utf8))
            #expect(try run(["buffer", "export", "--json", "--force", "--output", output]).code == 0)
            let text = String(decoding: try #require(bytes(output)), as: UTF8.self)
            #expect(text.split(separator: "\n").count == 3 && text.contains("\"e2\""))
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory).allSatisfy { !$0.contains(".partial") })
        }

        @Test func `an export to - is one to the standard output, and one that cannot be written ends with 74`() throws {
            let result = try run(["buffer", "export", "--json", "--output", "-"])
            #expect(result.code == 0 && result.output.contains("{\"type\":\"e0\"}"))
            #expect(!FileManager.default.fileExists(atPath: "-"))
            #expect(try run(["buffer", "export", "--output", "/dev/full"]).code == 74)
            for action in ["status", "verify"] {
                let command = "exec '\(Programs.agent)' buffer \(action) --file '\(path)' > /dev/full"
                #expect(try RunningProcess.run("/bin/sh", ["-c", command]).code == 74)
            }
        }

        @Test func `what is no buffer is not exported, and what is missing from a damaged one is told`() throws {
            let garbage = directory + "/garbage"
            try Data(repeating: 0x55, count: 10_000).write(to: URL(filePath: garbage))
            #expect(try run(["buffer", "export", "--file", garbage, "--output", output]).code == 1)
            #expect(!FileManager.default.fileExists(atPath: output))
            #expect(try run(["buffer", "export", "--file", path, "--output", output]).code == 0)
            try Database(path: path).execute("UPDATE batches SET bytes = x'00' WHERE sequence = 2")
            for source in [[], ["--file", path]] {
                let result = try run(["buffer", "export", "--force", "--output", output] + source)
                #expect(result.code == 1 && result.output.contains("2 batches exported") && result.output.contains("1 damaged row"), "\(result)")
            }
        }

        @Test(arguments: [
            ["verify", "--csv"], ["status", "--output", "x"], ["export", "--json", "--csv"], ["export", "--force"], ["export", "--file", "--json"],
            [],
        ])
        func `an option that a command has no use for is wrong usage`(arguments: [String]) throws {
            #expect(try run(["buffer"] + arguments).code == 64)
        }

        @Test func `help is printed for buffer too`() throws {
            let result = try run(["buffer", "--help"])
            #expect(result.code == 0 && result.output.contains("Usage:"))
        }

        @Test func `verify answers in JSON whatever is wrong, and tells a newer file from a damaged one`() throws {
            let garbage = directory + "/garbage"
            try Data(repeating: 0x55, count: 10_000).write(to: URL(filePath: garbage))
            for file in [garbage, directory + "/nothing"] {
                let result = try run(["buffer", "verify", "--json", "--file", file])
                let json = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any], "\(result)")
                #expect(result.code == 1 && json["whole"] as? Bool == false && (json["problems_count"] as? Int ?? 0) >= 1)
            }
            let whole = try run(["buffer", "verify"])
            #expect(whole.code == 0 && whole.output == "3 batches with 0 samples, 0 unsealed ticks: whole\n")
            try Database(path: path).execute("PRAGMA user_version = 99")
            let newer = try run(["buffer", "verify"])
            #expect(newer.code == 1 && newer.output.contains("newer") && !newer.output.contains("malformed"))
        }

        @Test func `the status of another file does not tell this device's bound`() throws {
            #expect(try run(["buffer", "status", "--json"]).output.contains("\"bytes_max\""))
            let other = try run(["buffer", "status", "--json", "--file", path])
            #expect(other.code == 0 && !other.output.contains("\"bytes_max\"") && other.output.contains("\"batches\":3"))
        }
    }
}
