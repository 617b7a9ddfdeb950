/// The values of one statement as libpq wants them: pointers into a connection's buffer, lengths, formats.
struct EncodedParameters {
    private let buffer: WireBuffer
    private var offsets: [Int?] = []
    private var lengths: [Int32] = []

    init(_ values: [PostgresValue], as types: [PostgresType], in buffer: WireBuffer, _ operation: String) throws(PostgresError) {
        buffer.removeAll()
        self.buffer = buffer
        for (index, (value, type)) in zip(values, types).enumerated() {
            let start = buffer.count
            let isNull = value == .null
            guard isNull || value.encode(as: type, into: buffer), buffer.count <= WireBuffer.bytesMax else {
                throw PostgresError(
                    .encoding, operation: operation, detail: "parameter \(index + 1) is \(type.description); \(value.kind) does not fit")
            }
            offsets.append(isNull ? nil : start)
            lengths.append(Int32(buffer.count - start))
        }
    }

    func withPointers(_ body: (UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<Int32>, UnsafePointer<Int32>) -> Int32) -> Bool {
        // A null pointer is NULL; the offsets become pointers only now that the buffer grows no more.
        let pointers = offsets.map { offset in offset.map { buffer.start + $0 } }
        let formats = [Int32](repeating: 1, count: lengths.count)
        return body(pointers, lengths, formats) == 1
    }
}
