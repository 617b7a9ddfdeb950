import CHiredis

/// Turns hiredis' replies into values.
enum ReplyReader {
    /// - Parameter reply: is freed.
    static func value(takingOwnership reply: UnsafeMutableRawPointer, operation: String) -> RedisValue {
        defer { freeReplyObject(reply) }
        return value(reply.assumingMemoryBound(to: redisReply.self).pointee, operation)
    }

    /// Recursion is bounded by hiredis, which reads no deeper than 9.
    private static func value(_ reply: redisReply, _ operation: String) -> RedisValue {
        switch reply.type {
        case REDIS_REPLY_NIL: return .null
        case REDIS_REPLY_INTEGER: return .integer(Int64(reply.integer))
        case REDIS_REPLY_STRING: return .bytes(bytes(reply))
        case REDIS_REPLY_STATUS: return .status(text(reply))
        case REDIS_REPLY_ERROR: return .error(RedisError(answer: text(reply), operation: operation))
        case REDIS_REPLY_ARRAY:
            guard let elements = reply.element else { return .array([]) }
            return .array((0..<Int(reply.elements)).map { index in elements[index].map { value($0.pointee, operation) } ?? .null })
        default:
            return .error(RedisError(.decoding, operation: operation, detail: "an answer of a kind that is not known, \(reply.type)"))
        }
    }

    private static func bytes(_ reply: redisReply) -> [UInt8] {
        guard let start = reply.str else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: start, count: Int(reply.len)))
    }

    private static func text(_ reply: redisReply) -> String { String(decoding: bytes(reply), as: UTF8.self) }
}
