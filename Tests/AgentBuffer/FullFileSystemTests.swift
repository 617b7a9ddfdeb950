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
    @Test(.enabled(if: SmallFileSystem.isPossible))
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
        let filler = directory + "/filler"
        #expect(FileManager.default.createFile(atPath: filler, contents: nil))
        let handle = try FileHandle(forWritingTo: URL(filePath: filler))
        while (try? handle.write(contentsOf: Data(count: 4_096))) != nil {}

        var taken = 1
        #expect(
            performing: {
                while taken < 10_000 {
                    try buffer.append(tick(taken))
                    taken += 1
                }
            }, throws: { ($0 as? BufferError)?.reason == .full })
        #expect(performing: { try buffer.seal(goingOut: false) }, throws: { ($0 as? BufferError)?.reason == .full })
        #expect(buffer.unsealedTicks == taken)

        try handle.truncate(atOffset: 0)
        try buffer.append(tick(taken))
        let newest = try #require(try buffer.seal(goingOut: false))
        var values: [Double] = []
        for sequence in 1...newest {
            let batch = try Batch(decoding: try #require(try buffer.batch(sequence)))
            values += try Block(decoding: batch.payload).ticks().map { $0.readings[0].value }
        }
        #expect(values == (0...taken).map(Double.init))
    }
}
