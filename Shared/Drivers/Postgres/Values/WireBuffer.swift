/// Bytes on their way to the server, in its byte order. One for each connection, used again and again: it grows to the largest that it held.
package final class WireBuffer {
    /// More than this never stands in it.
    package static let bytesMax = 64 << 20

    package private(set) var count = 0
    private var base: UnsafeMutableRawPointer
    private var capacity: Int

    package init(capacity: Int = 4096) {
        base = .allocate(byteCount: capacity, alignment: 16)
        self.capacity = capacity
    }

    deinit { base.deallocate() }

    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
    var start: UnsafePointer<CChar> { UnsafePointer(base.assumingMemoryBound(to: CChar.self)) }

    package func removeAll() { count = 0 }

    /// Takes back what was written after `count`.
    func truncate(to count: Int) { self.count = count }

    @inline(__always)
    package func append<Value: FixedWidthInteger>(_ value: Value) {
        reserve(MemoryLayout<Value>.size)
        base.storeBytes(of: value.bigEndian, toByteOffset: count, as: Value.self)
        count += MemoryLayout<Value>.size
    }

    package func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        reserve(bytes.count)
        (base + count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }

    /// Writes over four bytes that stand there, for lengths that are known later.
    func replace(at offset: Int, with value: Int32) {
        precondition(offset + 4 <= count, "only what stands there is written over")
        base.storeBytes(of: value.bigEndian, toByteOffset: offset, as: Int32.self)
    }

    @inline(__always)
    private func reserve(_ more: Int) {
        if count + more > capacity { grow(to: count + more) }
    }

    private func grow(to needed: Int) {
        let larger = max(needed, capacity * 2)
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        bytes.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = bytes
        capacity = larger
    }
}
