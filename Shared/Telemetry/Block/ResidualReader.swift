/// Gives the residuals of a block's columns, in their order.
final class ResidualReader {
    /// The words, the raw bits, and zeros behind them, so that whole words can be loaded anywhere.
    private let copy: UnsafeMutableRawPointer
    private let tokens: UnsafeMutableBufferPointer<UInt8>
    private var entropy: EntropyDecoder
    private var bits: BitReader
    private var ownTable: DecodingTable?

    private static let builtIn = BuiltInTables.tables.map { DecodingTable($0) }

    /// `capacity` is the most residuals of a column.
    init(states: [UInt32], words: ArraySlice<UInt8>, bits: ArraySlice<UInt8>, capacity: Int) {
        let copy = UnsafeMutableRawPointer.allocate(byteCount: words.count + bits.count + BitReader.paddingBytes, alignment: 8)
        copy.initializeMemory(as: UInt8.self, repeating: 0, count: words.count + bits.count + BitReader.paddingBytes)
        let bitsPlace = copy + words.count
        words.withUnsafeBytes { copy.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(copy), byteCount: $0.count) }
        bits.withUnsafeBytes { bitsPlace.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(copy), byteCount: $0.count) }
        self.copy = copy
        tokens = .allocate(capacity: capacity)
        tokens.initialize(repeating: 0)
        entropy = EntropyDecoder(states: states, words: copy, wordCount: words.count / 2)
        self.bits = BitReader(bitsPlace, byteCount: bits.count)
    }

    deinit {
        copy.deallocate()
        tokens.deallocate()
    }

    /// Fills `residuals`. A table of the column's own stands in the block's bytes.
    func read(_ choice: ColumnPlan.TableChoice, in bytes: ArraySlice<UInt8>, into residuals: UnsafeMutableBufferPointer<Int64>) throws(DecodingError)
    {
        let table = try table(choice, in: bytes)
        let tokens = UnsafeMutableBufferPointer(rebasing: tokens[..<residuals.count])
        guard table.slots.withUnsafeBufferPointer({ entropy.decode($0, into: tokens) }) else { throw DecodingError(.truncated, "block.words") }
        guard table.hasBits else {
            for index in 0..<residuals.count { residuals[index] = Token.residual(tokens[index]) }
            return
        }
        for index in 0..<residuals.count {
            let token = tokens[index]
            if token < Token.firstWithBits {
                residuals[index] = Token.residual(token)
                continue
            }
            let bitCount = Token.bitCount(token)
            guard let raw = bits.read(bitCount) else { throw DecodingError(.truncated, "block.bits") }
            residuals[index] = Token.residual(token, bits: raw, bitCount: bitCount)
        }
    }

    private func table(_ choice: ColumnPlan.TableChoice, in bytes: ArraySlice<UInt8>) throws(DecodingError) -> DecodingTable {
        switch choice {
        case .builtIn(let index): return Self.builtIn[index]
        case .own(let place):
            var reader = ByteReader(bytes[place...])
            let table = DecodingTable(try FrequencyTable(from: &reader))
            ownTable = table
            return table
        case .same, .none:
            guard let ownTable else { throw DecodingError(.badNumber, "block.table") }
            return ownTable
        }
    }

    /// Everything has been used, and what fills the last byte is zeros.
    func expectEnd() throws(DecodingError) {
        guard entropy.isAtEnd else { throw DecodingError(.badNumber, "block.states") }
        guard bits.bytesLeft == 0, bits.isPaddedWithZeros else { throw DecodingError(.trailingBytes, "block.bits") }
    }
}
