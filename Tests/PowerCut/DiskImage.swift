/// Files as they are after a power cut. What was written before a sync of its file is there. Of what was written since, each sector may be there
/// or not, whatever was asked for first; so may a truncation and a deletion. A file that was renamed is there as a whole or not at all, if it was
/// synced under the name that it had, and from then on where the directory is synced.
struct DiskImage {
    static let sectorBytes = 512

    private(set) var files: [String: [UInt8]] = [:]

    /// - Parameters:
    ///   - cut: Operations that were asked for before the power went; the one after them was under way.
    ///   - syncsCount: Whether a sync means anything; with false the disk lies.
    init(_ recording: Recording, cut: Int, syncsCount: Bool, random: inout Seeded) {
        var waiting: [String: [Recording.Operation]] = [:]
        var synced: Set<String> = []
        for (file, operation) in recording.operations.prefix(cut) {
            switch operation {
            case .sync where syncsCount && file == Recording.directory:
                settleDeletions(&waiting)
                settleAppearances(&waiting)
            case .sync where syncsCount:
                for waiting in waiting[file] ?? [] { apply(waiting, to: file) }
                waiting[file] = []
                // SQLite syncs the directory with the first sync of a journal that it has made, which is not seen here.
                if file.contains("-"), synced.insert(file).inserted {
                    settleDeletions(&waiting)
                    settleAppearances(&waiting)
                }
                synced.insert(file)
            case .sync: break
            case .delete(isSynced: true) where syncsCount:
                waiting[file, default: []].append(operation)
                settleDeletions(&waiting)
            case .delete:
                waiting[file, default: []].append(operation)
                synced.remove(file)
            case .appear(let bytes) where !synced.contains(file + Self.unnamed): waiting[file] = [.write(offset: 0, bytes: bytes)]
            case .write, .truncate, .appear: waiting[file, default: []].append(operation)
            }
        }
        if cut < recording.operations.count {
            let (file, operation) = recording.operations[cut]
            waiting[file, default: []].append(operation)
        }
        // Now all, now nothing, now any part of it.
        let likelihoods: [Double] = [0, 0.3, 0.7, 0.95, 1]
        let likelihood = likelihoods[Int.random(in: 0..<likelihoods.count, using: &random)]
        for file in waiting.keys.sorted() {
            for operation in waiting[file] ?? [] {
                applyParts(of: operation, to: file, likelihood, &random)
                // Without its name nothing of it is found.
                if case .appear = operation, files[file] == nil { break }
            }
        }
    }

    /// What a file has behind its name before it gets it.
    private static let unnamed = ".new"

    /// The directory is synced: files that were renamed have their names.
    private mutating func settleAppearances(_ waiting: inout [String: [Recording.Operation]]) {
        for (file, operations) in waiting {
            guard case .appear? = operations.first else { continue }
            apply(operations[0], to: file)
            waiting[file] = Array(operations.dropFirst())
        }
    }

    /// The directory is synced: files that were deleted are gone.
    private mutating func settleDeletions(_ waiting: inout [String: [Recording.Operation]]) {
        for (file, operations) in waiting {
            let last = operations.lastIndex { if case .delete = $0 { true } else { false } }
            guard let last else { continue }
            files[file] = nil
            waiting[file] = Array(operations[(last + 1)...])
        }
    }

    private mutating func applyParts(of operation: Recording.Operation, to file: String, _ likelihood: Double, _ random: inout Seeded) {
        guard case .write(let offset, let bytes) = operation else {
            if Double.random(in: 0..<1, using: &random) < likelihood { apply(operation, to: file) }
            return
        }
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + Self.sectorBytes - (offset + start) % Self.sectorBytes)
            if Double.random(in: 0..<1, using: &random) < likelihood {
                apply(.write(offset: offset + start, bytes: Array(bytes[start..<end])), to: file)
            }
            start = end
        }
    }

    private mutating func apply(_ operation: Recording.Operation, to file: String) {
        switch operation {
        case .write(let offset, let bytes):
            var content = files[file] ?? []
            if content.count < offset + bytes.count { content += [UInt8](repeating: 0, count: offset + bytes.count - content.count) }
            content.replaceSubrange(offset..<offset + bytes.count, with: bytes)
            files[file] = content
        case .truncate(let size):
            guard let content = files[file] else { return }
            files[file] = content.count >= size ? Array(content.prefix(size)) : content + [UInt8](repeating: 0, count: size - content.count)
        case .delete: files[file] = nil
        case .appear(let bytes): files[file] = bytes
        case .sync: break
        }
    }
}

/// A generator for tests: the same values for the same seed.
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
