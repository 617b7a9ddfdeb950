/// Directories with one file of a key and one leaf, which can only be meant for each other.
struct LoneKeys {
    /// Of each key's file the leaf that lies in its directory; nil where there are several, or several keys.
    private var leaves: [String?]
    private let ids: [[String]]
    /// Records whose name goes with that of a key's file.
    private var called: [(record: Int, file: Int)] = []

    init(_ places: [FilePlace], _ files: [KeyFile]) {
        ids = files.map { $0.ids }
        leaves = files.indices.map { number in
            let isAlone = files.indices.allSatisfy { $0 == number || places[$0].directory != places[number].directory }
            return isAlone && files[number].isAlone ? "" : nil
        }
    }

    /// A leaf in the directory of a key's file.
    mutating func note(_ keyId: String, at record: Int, isCalledFor: Bool, _ file: Int) {
        guard let known = leaves[file] else { return }
        leaves[file] = known.isEmpty || known == keyId ? keyId : nil
        if isCalledFor { called.append((record, file)) }
    }

    /// Records and the key's files that are meant for them, and are another's.
    var mismatches: [(record: Int, file: Int)] {
        called.filter { one in leaves[one.file].map { !ids[one.file].contains($0) } ?? false }
    }
}
