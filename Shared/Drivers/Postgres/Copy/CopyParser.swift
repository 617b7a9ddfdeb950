/// Takes the rows out of a binary COPY, whose bytes come in pieces of any size. What does not follow the format ends it.
package struct CopyParser {
    /// A row longer than this is refused.
    package static let rowBytesMax = 64 << 20
    private static let signature: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00]

    package enum Problem: String, Error, Sendable {
        case notBinaryCopy = "not a binary COPY"
        case unknownFlags = "a COPY with flags that are not known"
        case malformed = "malformed"
        case rowTooLong = "a row is too long"
        case truncated = "it ends in the middle"
    }

    /// Rows so far.
    package private(set) var rows = 0
    private var pending: [UInt8] = []
    private var hasHeader = false
    private var hasTrailer = false

    package init() {}

    /// Hands over each row that is complete with `bytes`: its fields in order, nil for NULL. They are gone when `body` returns.
    package mutating func take<Failure: Error>(
        _ bytes: UnsafeRawBufferPointer, _ body: ([UnsafeRawBufferPointer?]) throws(Failure) -> Void
    ) throws(Failure) -> Problem? {
        // As the server sends whole rows in a message, there is nothing pending but in rare cases.
        guard !pending.isEmpty else { return try takeAll(bytes, body) }
        pending.append(contentsOf: bytes)
        let all = pending
        pending = []
        var problem: Problem?
        var failure: Failure?
        all.withUnsafeBytes { all in
            do throws(Failure) { problem = try takeAll(all, body) } catch { failure = error }
        }
        if let failure { throw failure }
        return problem
    }

    /// Whether all has come.
    package func finish() -> Problem? { hasTrailer && pending.isEmpty ? nil : .truncated }

    private mutating func takeAll<Failure: Error>(
        _ bytes: UnsafeRawBufferPointer, _ body: ([UnsafeRawBufferPointer?]) throws(Failure) -> Void
    ) throws(Failure) -> Problem? {
        var rest = bytes
        var fields: [UnsafeRawBufferPointer?] = []
        while !rest.isEmpty {
            switch hasHeader ? Self.row(rest, &fields) : Self.header(rest) {
            case .incomplete:
                guard rest.count <= Self.rowBytesMax else { return .rowTooLong }
                pending = [UInt8](rest)
                return nil
            case .problem(let problem): return problem
            case .trailer:
                guard !hasTrailer, rest.count == 2 else { return .malformed }
                hasTrailer = true
                return nil
            case .taken(let count):
                guard !hasTrailer else { return .malformed }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                if hasHeader {
                    rows += 1
                    try body(fields)
                }
                hasHeader = true
            }
        }
        return nil
    }

    private enum Piece {
        case incomplete
        case problem(Problem)
        case trailer
        case taken(Int)
    }

    private static func header(_ bytes: UnsafeRawBufferPointer) -> Piece {
        guard bytes.prefix(signature.count).elementsEqual(signature.prefix(bytes.count)) else { return .problem(.notBinaryCopy) }
        var reader = WireReader(bytes)
        guard reader.next(count: signature.count) != nil, let flags = reader.next(UInt32.self), let extra = reader.next(Int32.self) else {
            return .incomplete
        }
        // "Bits 16–31 are reserved to denote critical file format issues; a reader should abort if it finds an unexpected bit set".
        guard flags >> 16 == 0 else { return .problem(.unknownFlags) }
        guard extra >= 0, extra <= rowBytesMax else { return .problem(.malformed) }
        return reader.next(count: Int(extra)) == nil ? .incomplete : .taken(signature.count + 8 + Int(extra))
    }

    private static func row(_ bytes: UnsafeRawBufferPointer, _ fields: inout [UnsafeRawBufferPointer?]) -> Piece {
        var reader = WireReader(bytes)
        guard let count = reader.next(Int16.self) else { return .incomplete }
        if count == -1 { return .trailer }
        guard count >= 0 else { return .problem(.malformed) }
        fields.removeAll(keepingCapacity: true)
        var taken = 2
        for _ in 0..<count {
            guard let length = reader.next(Int32.self) else { return .incomplete }
            guard length >= -1 else { return .problem(.malformed) }
            guard Int(length) <= rowBytesMax else { return .problem(.rowTooLong) }
            taken += 4
            if length == -1 {
                fields.append(nil)
            } else {
                guard let field = reader.next(count: Int(length)) else { return .incomplete }
                fields.append(field)
                taken += Int(length)
            }
        }
        return .taken(taken)
    }
}
