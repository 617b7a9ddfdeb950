/// Writes the rows of a binary COPY into one buffer, which is sent whenever it is full:
/// <https://www.postgresql.org/docs/15/sql-copy.html>, "Binary Format". A row is `beginRow` and then as many values as there are columns.
package final class CopyWriter {
    /// What is sent at once.
    package static let chunkBytes = 64 << 10
    /// The signature, no flags, no header extension.
    private static let header: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00] + [0, 0, 0, 0] + [0, 0, 0, 0]

    /// Rows begun so far.
    package private(set) var rows = 0
    private let columns: Int16
    private var valuesLeft: Int16 = 0
    private let buffer: WireBuffer
    private let send: (UnsafeRawBufferPointer) throws(PostgresError) -> Void

    /// - Parameter send: takes a chunk; the bytes are gone after it.
    package init(columns: Int, buffer: WireBuffer, send: @escaping (UnsafeRawBufferPointer) throws(PostgresError) -> Void) {
        precondition(columns > 0 && columns <= Int(Int16.max), "a table has columns, and at most 1,600")
        self.columns = Int16(columns)
        self.buffer = buffer
        self.send = send
        buffer.removeAll()
        Self.header.withUnsafeBytes { buffer.append($0) }
    }

    package func beginRow() throws(PostgresError) {
        guard valuesLeft == 0 else { throw incomplete }
        if buffer.count >= Self.chunkBytes { try sendBuffer() }
        buffer.append(columns)
        valuesLeft = columns
        rows += 1
    }

    package func null() { put(Int32(-1)) }

    package func boolean(_ value: Bool) {
        put(Int32(1))
        buffer.append(UInt8(value ? 1 : 0))
    }

    /// For bigint.
    package func integer(_ value: Int64) {
        put(Int32(8))
        buffer.append(value)
    }

    /// For integer.
    package func integer4(_ value: Int32) {
        put(Int32(4))
        buffer.append(value)
    }

    /// For smallint.
    package func integer2(_ value: Int16) {
        put(Int32(2))
        buffer.append(value)
    }

    /// For double precision.
    package func double(_ value: Double) {
        put(Int32(8))
        buffer.append(value.bitPattern)
    }

    /// For real.
    package func float(_ value: Float) {
        put(Int32(4))
        buffer.append(value.bitPattern)
    }

    /// For text, varchar and json.
    package func text(_ value: String) {
        var value = value
        value.withUTF8 { bytes(UnsafeRawBufferPointer($0)) }
    }

    package func jsonb(_ value: String) {
        var value = value
        value.withUTF8 { utf8 in
            put(Int32(truncatingIfNeeded: utf8.count + 1))
            buffer.append(UInt8(1))
            buffer.append(UnsafeRawBufferPointer(utf8))
        }
    }

    /// For bytea; for text that is UTF-8 already.
    package func bytes(_ value: UnsafeRawBufferPointer) {
        put(Int32(truncatingIfNeeded: value.count))
        buffer.append(value)
    }

    package func bytes(_ value: [UInt8]) { value.withUnsafeBytes { bytes($0) } }

    /// For timestamptz, in milliseconds since 1970. Times beyond what the server knows become null, which it refuses where it must.
    package func timestamp(_ milliseconds: Int64) {
        guard let wire = PostgresTimestamp.wire(milliseconds: milliseconds) else { return null() }
        put(Int32(8))
        buffer.append(wire)
    }

    /// The last row's end, the trailer, and all that is not sent yet.
    func finish() throws(PostgresError) {
        guard valuesLeft == 0 else { throw incomplete }
        buffer.append(Int16(-1))
        try sendBuffer()
    }

    @inline(__always)
    private func put(_ length: Int32) {
        valuesLeft &-= 1
        buffer.append(length)
    }

    private func sendBuffer() throws(PostgresError) {
        guard buffer.count <= WireBuffer.bytesMax else {
            throw PostgresError(.tooMuch, operation: "copy", detail: "row \(rows) is longer than \(WireBuffer.bytesMax) bytes", copyRow: rows)
        }
        try send(buffer.bytes)
        buffer.removeAll()
    }

    private var incomplete: PostgresError {
        PostgresError(
            .encoding, operation: "copy", detail: "row \(rows) has \(Int(columns) - Int(valuesLeft)) values for \(columns) columns", copyRow: rows)
    }
}
