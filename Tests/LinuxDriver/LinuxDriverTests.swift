import Foundation
import LinuxDriver
import Testing

struct TimestampTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (1_700_000_000_123, "2023-11-14T22:13:20.123Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"), (253_402_300_799_000, "9999-12-31T23:59:59Z"),
        ] as [(Int64, String)])
    func `instants are written as RFC 3339 has them and read back`(milliseconds: Int64, text: String) {
        #expect(Timestamp.text(milliseconds) == text)
        #expect(Timestamp.parse(text) == milliseconds)
    }

    @Test func `offsets and fractions are understood`() {
        #expect(Timestamp.parse("2026-11-21T10:00:00.5+01:00") == Timestamp.parse("2026-11-21T09:00:00.500Z"))
    }

    @Test(arguments: [
        "", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-01-01", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00", "x", "2026-01-01T00:00:00.Z",
    ])
    func `what is no timestamp is none`(text: String) {
        #expect(Timestamp.parse(text) == nil)
    }
}

struct LogTests {
    @Test(
        arguments: [
            ("a reason", "a reason"), ("one\ntwo\r\t", "one\\ntwo\\r\\t"), ("\u{1B}[2J\u{7}", "\\u{1b}[2J\\u{7}"), ("\u{9B}31m", "\\u{9b}31m"),
            ("\u{202E}x\u{2028}", "\\u{202e}x\\u{2028}"), ("Größe 大", "Größe 大"),
        ])
    func `a logged value is one line without commands for the terminal`(value: String, logged: String) {
        #expect(Log.escaped(value) == logged)
    }
}

struct EventLoopTests {
    @Test func `timers fire in the order of their deadlines, cancelled ones never`() throws {
        let loop = try EventLoop()
        var fired: [Int] = []
        loop.after(30) {
            fired.append(3)
            loop.stop()
        }
        loop.after(10) { fired.append(1) }
        let cancelled = loop.after(15) { fired.append(99) }
        loop.after(20) { fired.append(2) }
        loop.cancel(cancelled)
        try loop.run()
        #expect(fired == [1, 2, 3])
    }

    @Test func `a ring from another thread wakes the loop`() throws {
        let loop = try EventLoop()
        let wakeUp = try WakeUp()
        try loop.watch(wakeUp.fd, .readable) { _ in
            wakeUp.silence()
            loop.stop()
        }
        Thread.detachNewThread { wakeUp.ring() }
        try loop.run()
    }
}

struct BackoffTests {
    @Test func `delays grow to their bound, whatever the jitter, and begin anew after a success`() {
        var backoff = Backoff(base: 1_000, cap: 60_000)
        for bound in [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000] as [Int64] {
            var same = backoff
            #expect(same.next(random: UInt64(bound)) == bound)
            #expect(backoff.next(random: UInt64(bound) + 1) == 0)
        }
        backoff.reset()
        #expect(backoff.next(random: 1_000) == 1_000)
    }
}

struct SmallFileTests {
    @Test func `a FIFO, a directory and a file that is too large are refused without waiting`() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "smallfile-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        mkfifo(directory + "/fifo", 0o600)
        #expect(throws: SystemError.self) { try SmallFile.read(directory + "/fifo") }
        #expect(throws: SystemError.self) { try SmallFile.read(directory) }
        try Data(repeating: 1, count: 100).write(to: URL(filePath: directory + "/large"))
        #expect(throws: SystemError.self) { try SmallFile.read(directory + "/large", limit: 99) }
        #expect(try SmallFile.read(directory + "/large", limit: 100).count == 100)
    }

    @Test func `a lock is held by one at a time`() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "lock-\(UUID().uuidString)").path
        var first = try FileLock(path)
        #expect(first != nil)
        #expect(try FileLock(path) == nil)
        first = nil
        #expect(try FileLock(path) != nil)
    }
}

struct OutputFileTests {
    private let directory = FileManager.default.temporaryDirectory.appending(path: "output-\(UUID().uuidString)").path

    init() throws { try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true) }

    private func text(_ name: String) throws -> String { try String(contentsOfFile: directory + "/" + name, encoding: .utf8) }

    @Test func `a file has its name when it is finished, and what came there meanwhile stays`() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let file = try OutputFile(directory + "/a", replacing: false)
        try file.write(Array("one".utf8))
        #expect(!SmallFile.exists(directory + "/a"))
        try file.finish()
        #expect(try text("a") == "one")
        do {
            let late = try OutputFile(directory + "/b", replacing: false)
            try Data("first".utf8).write(to: URL(filePath: directory + "/b"))
            #expect(performing: { try late.finish() }, throws: { ($0 as? SystemError)?.isPresent == true })
        }
        #expect(try text("b") == "first")
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory).sorted() == ["a", "b"])
    }

    @Test func `where a file can have but one name it takes a new one all the same, and replaces nothing`() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for name in ["a", "b"] { try Data(name.utf8).write(to: URL(filePath: directory + "/" + name)) }
        #expect(!SmallFile.renameWithoutLink(directory + "/a", to: directory + "/b"))
        #expect(SystemError.last("rename").isPresent)
        #expect(SmallFile.renameWithoutLink(directory + "/a", to: directory + "/c"))
        #expect(try text("b") == "b" && text("c") == "a")
        #expect(!SmallFile.exists(directory + "/a"))
    }
}

struct JournalTests {
    @Test func `metadata becomes fields whose names the journal allows`() {
        #expect(Journal.field(metadata: "oldest_milliseconds", "12 = 3") == "FARWATCH_OLDEST_MILLISECONDS=12 = 3\n")
        #expect(Journal.field(metadata: "größe-2", "x") == "FARWATCH_GR____E_2=x\n")
    }

    @Test(arguments: [nil, "", "0:0", "8:12345", "x"] as [String?]) func `a standard error that is not the journal is not passed by`(named: String?) {
        #expect(!Journal.isStandardError { $0 == "JOURNAL_STREAM" ? named : nil })
    }
}
