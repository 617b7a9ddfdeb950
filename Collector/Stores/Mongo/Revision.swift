import LinuxDriver

/// The number that each write of a document gets, see `FieldName.revision`: random, but that its upper half is the same for all writes of this
/// process, so that it knows its own.
enum Revision {
    private static let own = Random.uint64() & upper
    private static let upper: UInt64 = 0xFFFF_FFFF_0000_0000

    static func new() -> Int64 { Int64(bitPattern: own | Random.uint64() & ~upper) }
    static func isOwn(_ revision: Int64) -> Bool { UInt64(bitPattern: revision) & upper == own }
}
