import CLinux

/// Randomness from the kernel.
package enum Random {
    package static func uint64() -> UInt64 {
        var value: UInt64 = 0
        // getrandom(2): "reads of up to 256 bytes will always return as many bytes as requested and will not be interrupted by signals".
        while getrandom(&value, MemoryLayout<UInt64>.size, 0) != MemoryLayout<UInt64>.size {}
        return value
    }

    /// 0 ..< `bound`, near enough to uniform for delays.
    package static func below(_ bound: Int64) -> Int64 { bound <= 0 ? 0 : Int64(uint64() % UInt64(bound)) }
}
