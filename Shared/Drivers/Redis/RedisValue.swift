/// An answer of the server's.
package enum RedisValue: Equatable, Sendable {
    case null
    case integer(Int64)
    /// A word such as `OK`.
    case status(String)
    case bytes([UInt8])
    case array([RedisValue])
    /// A command was refused; the others of its pipeline were not.
    case error(RedisError)

    package var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    package var bytes: [UInt8]? { if case .bytes(let value) = self { value } else { nil } }
    package var array: [RedisValue]? { if case .array(let value) = self { value } else { nil } }
    package var error: RedisError? { if case .error(let value) = self { value } else { nil } }
    /// Of a status or a string.
    package var text: String? {
        switch self {
        case .status(let text): text
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        default: nil
        }
    }

    /// The answer, unless it is a refusal.
    package func get() throws(RedisError) -> RedisValue {
        if case .error(let error) = self { throw error }
        return self
    }
}
