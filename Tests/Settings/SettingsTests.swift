import Foundation
import MQTTDriver
import Settings
import Testing

struct SettingsTests {
    private func reader(_ text: String, _ environment: [String: String] = [:]) -> SettingsReader {
        SettingsReader(text, name: "agent.yaml", environment: { environment[$0] })
    }

    @Test func `nested keys are read, defaults fill what is missing`() {
        var reader = reader("broker:\n  host: b.example\n  port: 1884\nlist: [a, b]\n")
        #expect(reader.string("broker.host") == "b.example")
        #expect(reader.integer("broker.port", default: 1, in: 1...65_535) == 1884)
        #expect(reader.list("list") == ["a", "b"])
        #expect(reader.duration("interval", default: 7, in: 1...9) == 7)
        #expect(reader.finish().isEmpty)
    }

    @Test func `the environment wins over the file`() {
        var reader = reader("broker:\n  port: 1884\n", ["FARWATCH_BROKER_PORT": "9", "FARWATCH_LIST": " x , y ,"])
        #expect(reader.integer("broker.port", default: 1, in: 1...65_535) == 9)
        #expect(reader.list("list") == ["x", "y"])
    }

    @Test func `a section with all of its keys commented out is no mistake`() {
        var reader = reader("broker:\n#  port: 1\nodd:\n")
        _ = reader.integer("broker.port", default: 1, in: 1...2)
        #expect(reader.finish().map(\.key) == ["odd"])
    }

    @Test func `a mistake names file, line, key and what was expected`() {
        var reader = reader("\nbroker:\n  port: 70000\n")
        _ = reader.integer("broker.port", default: 1, in: 1...65_535)
        #expect(reader.finish().map(\.description) == ["agent.yaml:3: broker.port: expected a whole number from 1 to 65535, got \"70000\""])
    }

    @Test func `a mistake in the environment names the variable`() {
        var reader = reader("", ["FARWATCH_BROKER_PORT": "x"])
        _ = reader.integer("broker.port", default: 1, in: 1...65_535)
        #expect(reader.finish().map(\.place) == ["FARWATCH_BROKER_PORT"])
    }

    @Test func `drop-ins go over the file key by key, in the order of their names, and a mistake names its own file`() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "farwatch-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory + "/agent.d", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let files = [
            ("agent.yaml", "broker:\n  host: a\n  port: 1\nlist: [a, b]\n"), ("agent.d/20-b.yaml", "broker:\n  host: c\n"),
            ("agent.d/10-a.yaml", "broker:\n  host: b\n  port: x\nlist: [c]\nodd: 1\n"), ("agent.d/30.yaml.dpkg-old", "broker:\n  host: d\n"),
            ("agent.d/.40.yaml", "broker:\n  host: e\n"),
        ]
        for (name, text) in files { try Data(text.utf8).write(to: URL(filePath: directory + "/" + name)) }
        var reader = SettingsReader(file: directory + "/agent.yaml", isRequired: true, environment: { _ in nil })
        #expect(reader.string("broker.host") == "c")
        #expect(reader.integer("broker.port", default: 7, in: 1...9) == 7)
        #expect(reader.list("list") == ["c"])
        let first = directory + "/agent.d/10-a.yaml:"
        #expect(reader.finish().map(\.place) == [first + "3", first + "5"])

        try FileManager.default.removeItem(atPath: directory + "/agent.yaml")
        var without = SettingsReader(file: directory + "/agent.yaml", isRequired: false, environment: { _ in nil })
        #expect(without.string("broker.host") == "c")
    }

    @Test func `more drop-ins than are read are a mistake`() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "farwatch-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory + "/agent.d", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for number in 0...DropIns.filesMax { try Data().write(to: URL(filePath: directory + "/agent.d/\(number).yaml")) }
        var reader = SettingsReader(file: directory + "/agent.yaml", isRequired: false, environment: { _ in nil })
        #expect(reader.finish().map(\.place) == [directory + "/agent.yaml"])
    }

    @Test func `a file with a password that cannot be read is told with the reason`() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "farwatch-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let file = directory + "/password"
        func read(_ text: String?) throws -> (password: String?, problems: [String]) {
            if let text { try Data(text.utf8).write(to: URL(filePath: file)) }
            var reader = reader("", ["FARWATCH_BROKER_PASSWORD_FILE": file])
            return (reader.broker().password, reader.finish().map(\.reason))
        }
        #expect(try read(nil).problems == ["cannot read " + file + ": No such file or directory"])
        #expect(try read(String(repeating: "x", count: 4_097)).problems == ["cannot read " + file + ": it is larger than 4 KiB"])
        #expect(try read("\nx").problems == ["the first line of " + file + " is empty"])
        let well = try read("geheim\r\nx")
        #expect(well.password == "geheim" && well.problems.isEmpty)
    }

    @Test func `an unknown key is told with the likely one`() {
        var reader = reader("brocker:\n  host: x\n")
        _ = reader.string("broker.host")
        #expect(reader.finish().map(\.description) == ["agent.yaml:2: brocker.host: unknown key; did you mean broker.host?"])
    }

    @Test(arguments: [
        ("a: [", "not readable as YAML"), ("- a", "expected `key: value` lines"), ("a: 1\na: 2", "stands here a second time"),
        ("a: &x 1\nb: *x", "anchors and aliases"), ("a: [[1]]", "expected a list of plain values"),
        (String(repeating: "[", count: 40), "nested more than 16"),
    ])
    func `text that is no configuration is told, not believed`(text: String, reason: String) {
        var reader = reader(text)
        _ = reader.string("a")
        _ = reader.string("b")
        let problems = reader.finish()
        #expect(problems.contains { $0.reason.contains(reason) }, "\(problems)")
    }

    @Test(
        arguments: [
            ("10", 10_000), ("500ms", 500), ("1.5m", 90_000), ("2h", 7_200_000), ("7 d", 604_800_000), ("x", nil), ("10 parsecs", nil), ("", nil),
            ("99999999999999999999d", nil),
        ] as [(String, Int64?)])
    func `durations are read as people write them`(text: String, expected: Int64?) {
        #expect(SettingsUnits.milliseconds(text) == expected)
    }

    @Test(
        arguments: [("1TiB", 1 << 40), ("64MiB", 64 << 20), ("1.5 KiB", 1_536), ("2TB", 2_000_000_000_000), ("7", 7), ("1PiB", nil)]
            as [(String, Int64?)])
    func `sizes are read as people write them`(text: String, expected: Int64?) {
        #expect(SettingsUnits.bytes(text) == expected)
    }

    @Test func `a size out of range is told with both bounds`() {
        var reader = reader("size: 1TiB\nother: 2TiB\n")
        #expect(reader.bytes("size", default: 0, in: 4 << 20...1 << 40) == 1 << 40)
        _ = reader.bytes("other", default: 0, in: 4 << 20...1 << 40)
        #expect(reader.finish().map(\.reason) == ["expected a size from 4MiB to 1TiB such as 64MiB, got \"2TiB\""])
    }

    @Test(arguments: [
        ("a b", false), ("-a", false), ("a/b", false), ("b.example:1883", false), ("b.example", true), ("::1", true), ("fe80::1%eth0", true),
        ("a_b-1", true),
    ])
    func `the broker's host is checked where it stands`(host: String, isValid: Bool) {
        var reader = reader("broker:\n  host: \"\(host)\"\n")
        #expect(reader.broker().host == (isValid ? host : "localhost"))
        let expected = "agent.yaml:2: broker.host: expected a host name or an address (the port is broker.port), got \"\(host)\""
        #expect(reader.finish().map(\.description) == (isValid ? [] : [expected]))
    }
}
