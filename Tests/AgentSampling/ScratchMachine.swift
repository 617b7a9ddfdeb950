import AgentSampling
import Foundation

/// A tree of files that a test writes as it goes; removed with its owner.
final class ScratchMachine {
    let root: String
    private let machine: SampledMachine

    init() throws {
        root = NSTemporaryDirectory() + "farwatch-sampling-" + UUID().uuidString
        machine = SampledMachine(root: root)
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func sampler() -> Sampler { machine.sampler() }

    /// Writes into the file that is there, as the kernel does, so that a reader that holds it open sees the new text.
    func write(_ path: String, _ bytes: some Sequence<UInt8>) throws {
        let url = URL(fileURLWithPath: root + "/" + path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    func write(_ path: String, _ text: String) throws { try write(path, text.utf8) }
}
