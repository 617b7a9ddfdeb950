/// How often each token comes, in 1,024ths. On the wire: the frequency of token 0, 1, 2 … as varints until their sum is 1,024; a frequency of
/// 0 is followed by a byte that says how many further tokens have none either.
struct FrequencyTable {
    static let scaleBits: UInt32 = 10
    static let total: UInt32 = 1 << scaleBits

    /// Up to this token a gap costs less than what skipping it does.
    private static let smoothedMax = 30

    private(set) var frequencies = [UInt16](repeating: 0, count: Token.count)
    /// The sum of the frequencies of the tokens before.
    private(set) var starts = [UInt16](repeating: 0, count: Token.count)
    /// The last token with a frequency.
    private(set) var last = 0

    /// The table that is nearest to how often each token came; at least one came. Small tokens that did not come have a share too, so that
    /// other columns can use the table as well.
    init(_ tally: TokenTally) {
        last = tally.last
        if last < Self.smoothedMax { last = min(last + 2, Self.smoothedMax) }
        var given: UInt32 = 0
        var largest = 0
        for token in 0...last {
            guard tally[token] > 0 || last <= Self.smoothedMax else { continue }
            let share = max(1, (UInt64(tally[token]) * UInt64(Self.total) + UInt64(tally.total) / 2) / UInt64(tally.total))
            frequencies[token] = UInt16(share)
            given += UInt32(share)
            if share > frequencies[largest] { largest = token }
        }
        // Rounding is made good where it weighs least. What is too much for one comes off the largest, one by one.
        if given <= Self.total { frequencies[largest] += UInt16(Self.total - given) }
        while given > Self.total {
            for token in 0...last where frequencies[token] > frequencies[largest] { largest = token }
            frequencies[largest] -= 1
            given -= 1
        }
        setStarts()
    }

    init(from reader: inout ByteReader) throws(DecodingError) {
        var given = 0
        var token = 0
        while given < Int(Self.total) {
            guard token < Token.count else { throw DecodingError(.badNumber, "block.table") }
            let frequency = try reader.count("block.table", max: Int(Self.total) - given)
            if frequency == 0 {
                token += 1 + Int(try reader.byte("block.table"))
                continue
            }
            frequencies[token] = UInt16(frequency)
            last = token
            given += frequency
            token += 1
        }
        setStarts()
    }

    private mutating func setStarts() {
        var start: UInt16 = 0
        for token in 0..<Token.count {
            starts[token] = start
            start += frequencies[token]
        }
    }

    func write(into writer: inout ByteWriter) {
        var token = 0
        while token <= last {
            writer.varint(UInt64(frequencies[token]))
            token += 1
            guard frequencies[token - 1] == 0 else { continue }
            var more: UInt8 = 0
            while frequencies[token] == 0 {
                more += 1
                token += 1
            }
            writer.byte(more)
        }
    }

    /// What it takes on the wire.
    var byteCount: Int {
        var writer = ByteWriter()
        write(into: &writer)
        return writer.bytes.count
    }

    /// A table as the wire has it, in hexadecimal.
    init(hexadecimal text: StaticString) {
        var bytes: [UInt8] = []
        let digits = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        for index in stride(from: 0, to: digits.count, by: 2) { bytes.append(Self.digit(digits[index]) << 4 | Self.digit(digits[index + 1])) }
        var reader = ByteReader(bytes)
        guard let table = try? FrequencyTable(from: &reader) else { fatalError("a built-in table is whole") }
        self = table
    }

    static func digit(_ character: UInt8) -> UInt8 { character < 0x3A ? character - 0x30 : character - 0x57 }
}
