/// Why a document cannot be written as BSON, or bytes are none.
package struct BSONError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Reason: String, Sendable {
        case tooDeep = "too_deep"
        case tooLarge = "too_large"
        /// A name with a byte 0 in it, which ends names.
        case badName = "bad_name"
        case badText = "bad_text"
        case badType = "bad_type"
        case badLength = "bad_length"
        case truncated
    }

    package let reason: Reason
    /// Of the offending byte, from 0.
    package let offset: Int

    package init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    package var description: String { reason.rawValue + " at byte " + String(offset) }
}

package enum BSONLimits {
    /// What the server takes: "The maximum BSON document size is 16 mebibytes."
    package static let bytesMax = 16 * 1024 * 1024
    /// What the server takes: "MongoDB supports no more than 100 levels of nesting for BSON documents."
    package static let depthMax = 100
}

/// The numbers of BSON's types.
enum BSONType {
    static let double: UInt8 = 0x01
    static let string: UInt8 = 0x02
    static let document: UInt8 = 0x03
    static let array: UInt8 = 0x04
    static let binary: UInt8 = 0x05
    static let objectId: UInt8 = 0x07
    static let bool: UInt8 = 0x08
    static let date: UInt8 = 0x09
    static let null: UInt8 = 0x0A
    static let int32: UInt8 = 0x10
    static let int64: UInt8 = 0x12
}
