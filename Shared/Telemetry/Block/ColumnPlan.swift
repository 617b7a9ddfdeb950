/// How one column's values are to be had back from tokens: what stands in front of them in a block.
struct ColumnPlan {
    /// What the integers are that the tokens give.
    enum Form: Equatable {
        /// The value is the integer over 10 to this power.
        case decimal(exponent: Int)
        /// The integer is the value's bit pattern.
        case bits

        static let exponentMax = 12
        fileprivate static let bitsTag: UInt8 = 13

        fileprivate var tag: UInt8 {
            switch self {
            case .decimal(let exponent): UInt8(exponent)
            case .bits: Self.bitsTag
            }
        }

        fileprivate init?(tag: UInt8) {
            switch tag {
            case 0...UInt8(Self.exponentMax): self = .decimal(exponent: Int(tag))
            case Self.bitsTag: self = .bits
            default: return nil
            }
        }
    }

    /// Which table the tokens are read with.
    enum TableChoice {
        /// None: there are no tokens, every residual is 0.
        case none
        /// The last table that was written out.
        case same
        /// A table that follows, and the place where it stands when it was read.
        case own(place: Int)
        case builtIn(Int)

        fileprivate static let builtInTag: UInt8 = 3

        fileprivate var tag: UInt8 {
            switch self {
            case .none: 0
            case .same: 1
            case .own: 2
            case .builtIn(let index): Self.builtInTag + UInt8(index)
            }
        }
    }

    /// A value that the integers do not give.
    struct Exception: Equatable {
        let index: Int
        let bitPattern: UInt64
    }

    static let orderMax = 2

    var form: Form
    /// Every value is that of `base`; nothing but the form and the base is meant.
    var isConstant = false
    /// 0, 1, 2: whether the integers, their differences or the differences of those are near a line.
    var order = 0
    /// Whether it is the differences to the integers of the column before that are coded.
    var hasReference = false
    var base: Int64 = 0
    /// Per value; nil is 0, or for timestamps the header's interval.
    var slope: Int64?
    /// What every residual was divided by.
    var scale: Int64 = 1
    var exceptions: [Exception] = []
    var table = TableChoice.none

    /// Whether its residuals are told, rather than all 0.
    var hasTokens: Bool {
        if case .none = table { return false }
        return true
    }
}

extension ColumnPlan {
    private static let constantTag: UInt8 = 3
    private static let orderShift: UInt8 = 4
    private static let presenceShift: UInt8 = 6
    private static let referenceFlag: UInt8 = 0x10
    private static let slopeFlag: UInt8 = 0x20
    private static let scaleFlag: UInt8 = 0x40
    private static let exceptionsFlag: UInt8 = 0x80

    /// The tag byte that begins a column; its top two bits are for the presence.
    func tag(presence: UInt8) -> UInt8 {
        form.tag | (isConstant ? Self.constantTag : UInt8(order)) << Self.orderShift | presence << Self.presenceShift
    }

    /// What follows the tag and the presence, but for the table.
    func write(into writer: inout ByteWriter) {
        if !isConstant {
            writer.byte(
                table.tag | (hasReference ? Self.referenceFlag : 0) | (slope == nil ? 0 : Self.slopeFlag) | (scale == 1 ? 0 : Self.scaleFlag)
                    | (exceptions.isEmpty ? 0 : Self.exceptionsFlag))
        }
        if form == .bits, !hasReference { writer.uint64(UInt64(bitPattern: base)) } else { writer.signed(base) }
        guard !isConstant else { return }
        if let slope { writer.signed(slope) }
        if scale != 1 { writer.varint(UInt64(bitPattern: scale)) }
        if !exceptions.isEmpty { writeExceptions(into: &writer) }
    }

    private func writeExceptions(into writer: inout ByteWriter) {
        writer.varint(UInt64(exceptions.count))
        var next = 0
        var last: UInt64?
        for exception in exceptions {
            let isSame = exception.bitPattern == last
            writer.varint(UInt64(exception.index - next) << 1 | (isSame ? 1 : 0))
            if !isSame { writer.uint64(exception.bitPattern) }
            next = exception.index + 1
            last = exception.bitPattern
        }
    }

    /// The presence's two bits of a tag.
    static func presence(ofTag tag: UInt8) -> UInt8 { tag >> presenceShift }

    /// Reads what follows a tag and a presence of `count` values, the table included.
    init(tag: UInt8, count: Int, from reader: inout ByteReader) throws(DecodingError) {
        guard let form = Form(tag: tag & 0xF) else { throw DecodingError(.unknownEncoding, "block.encoding") }
        self.form = form
        let order = tag >> Self.orderShift & 3
        isConstant = order == Self.constantTag
        guard !isConstant else {
            base = form == .bits ? Int64(bitPattern: try reader.uint64("block.base")) : try reader.signed("block.base")
            return
        }
        self.order = Int(order)
        guard count > self.order else { throw DecodingError(.badNumber, "block.encoding") }
        let flags = try reader.byte("block.encoding")
        hasReference = flags & Self.referenceFlag != 0
        base = form == .bits && !hasReference ? Int64(bitPattern: try reader.uint64("block.base")) : try reader.signed("block.base")
        if flags & Self.slopeFlag != 0 { slope = try reader.signed("block.slope") }
        if flags & Self.scaleFlag != 0 {
            scale = Int64(bitPattern: try reader.varint("block.scale"))
            guard scale >= 2 else { throw DecodingError(.badNumber, "block.scale") }
        }
        if flags & Self.exceptionsFlag != 0 { exceptions = try Self.readExceptions(count, from: &reader) }
        try readTable(flags & 0xF, from: &reader)
    }

    private mutating func readTable(_ tag: UInt8, from reader: inout ByteReader) throws(DecodingError) {
        switch tag {
        case 0: table = .none
        case 1: table = .same
        case 2:
            table = .own(place: reader.index)
            _ = try FrequencyTable(from: &reader)
        default:
            let index = Int(tag - TableChoice.builtInTag)
            guard index < BuiltInTables.count else { throw DecodingError(.unknownEncoding, "block.encoding") }
            table = .builtIn(index)
        }
    }

    private static func readExceptions(_ count: Int, from reader: inout ByteReader) throws(DecodingError) -> [Exception] {
        let exceptionCount = try reader.count("block.exceptions", max: count)
        guard exceptionCount >= 1 else { throw DecodingError(.badNumber, "block.exceptions") }
        var exceptions: [Exception] = []
        var next = 0
        for _ in 0..<exceptionCount {
            let head = try reader.varint("block.exceptions")
            guard head >> 1 < UInt64(count - next) else { throw DecodingError(.badNumber, "block.exceptions") }
            let index = next + Int(head >> 1)
            if head & 1 == 1 {
                guard let last = exceptions.last else { throw DecodingError(.badNumber, "block.exceptions") }
                exceptions.append(Exception(index: index, bitPattern: last.bitPattern))
            } else {
                exceptions.append(Exception(index: index, bitPattern: try reader.uint64("block.exceptions")))
            }
            next = index + 1
        }
        return exceptions
    }
}
