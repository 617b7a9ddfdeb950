import AgentBuffer
import Foundation
import LinuxDriver
import Telemetry
import Testing

/// A small file system of the test's own, where it may mount one.
private final class SmallFileSystem {
    let path: String

    init?(mebibytes: Int) {
        path = FileManager.default.temporaryDirectory.appending(path: "small-\(UUID().uuidString)").path
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard Self.run("mount", "-t", "tmpfs", "-o", "size=\(mebibytes)m", "none", path) else { return nil }
    }

    deinit {
        _ = Self.run("umount", path)
        try? FileManager.default.removeItem(atPath: path)
    }

    static var isPossible: Bool { SmallFileSystem(mebibytes: 1) != nil }

    private static func run(_ arguments: String...) -> Bool {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}

struct FullFileSystemTests {
    @Test(.enabled(if: SmallFileSystem.isPossible, "no file system can be mounted here"))
    func `on a full file system nothing that was taken is lost, and the buffer goes on when there is room`() throws {
        let disk = try #require(SmallFileSystem(mebibytes: 2))
        try withExtendedLifetime(disk) { try fillAndMakeRoom(disk.path) }
    }

    private func fillAndMakeRoom(_ directory: String) throws {
        let time = FakeClock()
        let buffer = try Buffer(path: directory + "/b.sqlite", device: DeviceId("edge-1")!, clock: time.clock)
        func tick(_ number: Int) -> Tick {
            Tick(at: time.wall, readings: (0..<100).map { Reading(Series("s\($0)"), Double(number) + Double($0) / 7) })
        }
        try buffer.append(tick(0))
        let filler = try Filler(directory)
        filler.fill()

        var taken = 1
        #expect(
            performing: {
                while taken < 10_000 {
                    try buffer.append(tick(taken))
                    taken += 1
                }
            }, throws: { ($0 as? BufferError)?.reason == .full })
        #expect(buffer.unsealedTicks == taken)
        // What was held back for this was used.
        #expect(!FileManager.default.fileExists(atPath: directory + "/b.sqlite.reserve"))

        filler.empty()
        try buffer.append(tick(taken))
        let newest = try #require(try buffer.seal(goingOut: false))
        #expect(FileManager.default.fileExists(atPath: directory + "/b.sqlite.reserve"))
        var values: [Double] = []
        for sequence in 1...newest {
            let batch = try Batch(decoding: try #require(try buffer.batch(sequence)))
            values += try Block(decoding: batch.payload).ticks().map { $0.readings[0].value }
        }
        #expect(values == (0...taken).map(Double.init))
    }

    @Test(.enabled(if: SmallFileSystem.isPossible, "no file system can be mounted here"))
    func `on a disk that is full for good the buffer goes on with the room that it has, and every tick is held or in a receipt`() throws {
        let disk = try #require(SmallFileSystem(mebibytes: 4))
        try withExtendedLifetime(disk) {
            let time = FakeClock()
            let buffer = try Buffer(path: disk.path + "/b.sqlite", device: DeviceId("edge-1")!, clock: time.clock)
            var random = Seeded(state: 5)
            var taken = 0
            func takeAndSeal() throws {
                for _ in 0..<10 {
                    let values = (0..<100).map { Reading(Series("s\($0)"), Double(UInt64.random(in: 0...(.max), using: &random)) * 1e-19) }
                    try buffer.append(Tick(at: time.wall, readings: values))
                    time.advance(1_000)
                    taken += 1
                }
                try buffer.seal(goingOut: false)
            }
            for _ in 0..<20 { try takeAndSeal() }
            let filler = try Filler(disk.path)
            filler.fill()
            for _ in 0..<300 { try takeAndSeal() }
            filler.empty()
            try buffer.seal(goingOut: true)
            let fixture = try BufferFixture()
            let dropped = fixture.sum("ticks", try fixture.receipts("dropped", "disk_full", in: buffer))
            let thinned = try fixture.receipts("thinned", "disk_full", in: buffer)
            #expect(dropped > 0)
            let held = try fixture.batches(in: buffer).filter { $0.kind == .samples && $0.resolution == 0 }
                .reduce(0) { $0 + (try Block(decoding: $1.payload).timestamps.count) }
            #expect(held + dropped + fixture.sum("ticks", thinned) >= taken)
        }
    }

    private func values(_ buffer: Buffer) throws -> [Double] {
        try buffer.seal(goingOut: true)
        return try BufferFixture().ticks(in: buffer).map { $0.readings[0].value }
    }

    @Test(.enabled(if: SmallFileSystem.isPossible, "no file system can be mounted here"), arguments: [true, false])
    func `a buffer found damaged on a full disk is set aside with the room that was held, or stays where it is until there is some`(
        isReserved: Bool
    ) throws {
        let disk = try #require(SmallFileSystem(mebibytes: 4))
        try withExtendedLifetime(disk) {
            let path = disk.path + "/b.sqlite"
            var limits = BufferLimits()
            if !isReserved { limits.reserveBytes = 0 }
            let time = FakeClock()
            func open() throws -> Buffer { try Buffer(path: path, device: DeviceId("edge-1")!, limits: limits, clock: time.clock) }
            do {
                let buffer = try open()
                for number in 0..<5 {
                    try buffer.append(Tick(at: time.wall, readings: [Reading(Series("m"), Double(number))]))
                    if number < 3 { try buffer.seal(goingOut: true) }
                }
            }
            let filler = try Filler(disk.path)
            filler.fill()
            // Written over in place, which needs no room.
            let file = try FileHandle(forWritingTo: URL(filePath: path))
            try file.write(contentsOf: Data(count: 2_048))
            try file.close()

            do {
                let buffer = try open()
                #expect((buffer.memoryReason == nil) == isReserved)
                if isReserved { #expect(try values(buffer) == [0, 1, 2, 3, 4]) }
            }
            filler.empty()
            time.advance(700_000)
            let buffer = try open()
            #expect(buffer.memoryReason == nil)
            #expect(try values(buffer) == [0, 1, 2, 3, 4])
            #expect(try BufferFixture().events("damaged_buffer", in: buffer).count == 1)
        }
    }

    @Test(.enabled(if: SmallFileSystem.isPossible, "no file system can be mounted here"))
    func `a salvage that fills the disk gives nothing up, and goes on when there is room`() throws {
        let disk = try #require(SmallFileSystem(mebibytes: 8))
        try withExtendedLifetime(disk) {
            let time = FakeClock()
            var limits = BufferLimits()
            limits.reserveBytes = 0
            func open() throws -> Buffer { try Buffer(path: disk.path + "/b.sqlite", device: DeviceId("edge-1")!, limits: limits, clock: time.clock) }
            let text = String(repeating: "x", count: 60_000)
            let count = 60
            do {
                let buffer = try open()
                for _ in 0..<count { try buffer.append(.event, json: "{\"type\":\"\(text)\"}", goingOut: false) }
                #expect(buffer.condemn())
            }
            let filler = try Filler(disk.path)
            filler.fill(leavingKibibytes: 2_560)
            do {
                let buffer = try open()
                #expect(buffer.memoryReason == nil)
                #expect(try (1..<Int64(count)).contains(buffer.status().batches))
                #expect(buffer.evictedBatches == 0)
            }
            filler.empty()
            let buffer = try open()
            let fixture = try BufferFixture()
            #expect(try fixture.batches(in: buffer).compactMap(\.origin).map(\.sequence).sorted() == Array(1...UInt64(count)))
            try buffer.seal(goingOut: true)
            #expect(try fixture.events("eviction_receipt", in: buffer).isEmpty)
        }
    }
}

/// A file that takes all the room there is.
private final class Filler {
    private let handle: FileHandle

    init(_ directory: String) throws {
        let path = directory + "/filler"
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        handle = try FileHandle(forWritingTo: URL(filePath: path))
    }

    func fill() { while (try? handle.write(contentsOf: Data(count: 4_096))) != nil {} }
    func fill(leavingKibibytes left: Int) {
        fill()
        guard let size = try? handle.offset() else { return }
        try? handle.truncate(atOffset: size - UInt64(left) * 1_024)
    }
    func empty() { try? handle.truncate(atOffset: 0) }
}
