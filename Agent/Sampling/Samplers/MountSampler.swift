import LinuxDriver
import Telemetry

/// `disk_usage` and `disk_size_bytes` of each file system on the machine's own storage.
///
/// How full a disk is changes slowly and asking may touch it, so that a value serves for `ageMax`.
struct MountSampler {
    static let mountsMax = 32
    /// How long a value is carried on, in milliseconds.
    static let ageMax: Int64 = 10_000

    private struct Entry {
        let mount: MountTable.Mount
        let usage: Series
        let size: Series
        var space: FileSystemSpace?

        init(_ mount: MountTable.Mount, _ space: FileSystemSpace) {
            self.mount = mount
            self.space = space
            let labels = [Label("mount", LabelText.of(mount.path))]
            usage = Series("disk_usage", labels)
            size = Series("disk_size_bytes", labels)
        }
    }

    private let file: KernelFile
    private let measure: ([UInt8]) -> FileSystemSpace?
    private var entries: [Entry] = []
    private var measuredAt: Int64 = 0

    init(_ tree: SourceTree, measure: @escaping ([UInt8]) -> FileSystemSpace?) {
        file = KernelFile(tree.path("/proc/self/mounts"))
        self.measure = measure
    }

    /// Reads the list of mounts again and measures each. Of the mounts of one device the first that is a directory counts.
    mutating func rediscover(now: Int64, buffer: inout [UInt8]) {
        let count = file.readWhole(into: &buffer)
        let table = MountTable(mounts: buffer.span.extracting(0..<count))
        var found: [Entry] = []
        for mount in table.mounts where found.count < Self.mountsMax {
            guard !found.contains(where: { $0.mount.device == mount.device }), let space = measure(mount.path) else { continue }
            if let index = entries.firstIndex(where: { $0.mount == mount }) {
                entries[index].space = space
                found.append(entries[index])
            } else {
                found.append(Entry(mount, space))
            }
        }
        entries = found
        measuredAt = now
    }

    mutating func sample(into readings: inout [Reading], now: Int64) {
        if now - measuredAt >= Self.ageMax {
            for index in entries.indices { entries[index].space = measure(entries[index].mount.path) }
            measuredAt = now
        }
        for entry in entries {
            guard let space = entry.space else { continue }
            if let usage = space.usage { readings.append(Reading(entry.usage, usage)) }
            readings.append(Reading(entry.size, space.size))
        }
    }
}

extension FileSystemSpace {
    /// The share that is taken, as df(1) counts it: full is when nobody but root can write.
    var usage: Double? { Ratio.of(used, used + available) }
}
