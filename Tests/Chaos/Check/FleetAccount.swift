import Foundation
import SimulatedFleet
import Telemetry

/// A whole run: every device against the store.
package struct FleetAccount: Codable, Sendable {
    private static let findingsMax = 50

    package private(set) var devices = 0
    package private(set) var counts = SampleCounts()
    package private(set) var refused: [String: Int] = [:]
    package private(set) var findings: [String] = []

    package var isWhole: Bool { counts.lost == 0 && counts.duplicated == 0 && counts.altered == 0 && counts.left == 0 && counts.produced > 0 }

    /// Where a run has left its things.
    package struct Places: Sendable {
        package var store: String
        /// `DEVICE.truth` of each simulated device.
        package var truth: String
        /// `DEVICE.sqlite` of each, in this folder or one below it.
        package var buffers: String
        /// `DEVICE/MILLISECONDS` and `DEVICE/MILLISECONDS-in-use`, each a buffer as it was just before it was damaged.
        package var damages: String
        /// A file with an array of `AgentWindows`.
        package var agents: String?

        package init(store: String, truth: String, buffers: String, damages: String, agents: String?) {
            self.store = store
            self.truth = truth
            self.buffers = buffers
            self.damages = damages
            self.agents = agents
        }
    }

    package init(_ places: Places) throws {
        let store = try CollectorStore(directory: places.store)
        refused = try store.refused()
        let buffers = try Self.buffers(places.buffers)
        for file in try FileManager.default.contentsOfDirectory(atPath: places.truth).sorted() where file.hasSuffix(".truth") {
            let name = String(file.dropLast(".truth".count))
            guard let device = DeviceId(name) else { continue }
            var evidence = DeviceEvidence(truth: try Truth(path: places.truth + "/" + file))
            evidence.blocks = try store.blocks(of: name)
            evidence.notices = try store.notices(of: name)
            if let buffer = buffers[name] { evidence.left = try BufferContent.ticks(of: buffer, device: device) }
            evidence.damages = try Self.damages(places.damages + "/" + name, device)
            let account = DeviceAccount(evidence)
            add(account.counts, account.findings, name)
        }
        guard let agents = places.agents else { return }
        for windows in try JSONDecoder().decode([AgentWindows].self, from: Data(contentsOf: URL(filePath: agents))) {
            let account = AgentAccount(windows, blocks: try store.blocks(of: windows.device))
            add(account.counts, account.findings, windows.device)
        }
    }

    private mutating func add(_ counts: SampleCounts, _ findings: [String], _ device: String) {
        devices += 1
        self.counts.add(counts)
        for finding in findings where self.findings.count < Self.findingsMax { self.findings.append(device + ": " + finding) }
    }

    private static func buffers(_ directory: String) throws -> [String: String] {
        var found: [String: String] = [:]
        for path in FileManager.default.enumerator(atPath: directory)?.compactMap({ $0 as? String }) ?? [] where path.hasSuffix(".sqlite") {
            found[URL(filePath: path).deletingPathExtension().lastPathComponent] = directory + "/" + path
        }
        return found
    }

    private static func damages(_ directory: String, _ device: DeviceId) throws -> [Damage] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else { return [] }
        return try names.sorted().compactMap { name in
            guard let at = Int64(name.prefix { $0.isNumber }) else { return nil }
            let ticks = try BufferContent.ticks(of: directory + "/" + name + "/buffer.sqlite", device: device)
            return Damage(ticks: ticks, at: at, wasInUse: name.hasSuffix("-in-use"))
        }
    }
}
