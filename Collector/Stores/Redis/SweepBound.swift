/// How many calls of SCAN may go through a server's keys before it is taken for one that never comes to an end.
enum SweepBound {
    /// Keys come while they are looked at.
    private static let growth = 4
    /// A table that has shrunk is gone through as large as it was: a call looks at ten times as many of its places as keys were asked for.
    private static let spare = 2_000
    /// Whatever the server says of how many there are.
    private static let callsMax = 1_000_000

    static func calls(keys: Int64, pageKeys: Int) -> Int {
        let pages = max(0, min(keys, Int64(callsMax) * Int64(pageKeys))) / Int64(max(1, pageKeys))
        return min(callsMax, Int(pages) * growth + spare)
    }
}
