import CMongo

/// The owner of the bson_t of one operation: documents on their way to and from libmongoc. They go with `free`, which the operation calls when libmongoc is done with them.
final class BSONArena {
    private let operation: String
    private var handles: [OpaquePointer] = []
    private var replies: [OpaquePointer] = []

    init(_ operation: String) { self.operation = operation }

    func free() {
        for handle in handles { bson_destroy(handle) }
        for reply in replies { farwatch_bson_free_reply(reply) }
        handles = []
        replies = []
    }

    deinit { free() }

    func add(_ document: BSONDocument) throws(MongoError) -> OpaquePointer {
        let bytes: [UInt8]
        do throws(BSONError) { bytes = try BSONWriter.encode(document) } catch {
            throw MongoError(
                error.reason == .tooLarge || error.reason == .tooDeep ? .tooLarge : .encoding, operation: operation,
                detail: "a document cannot be written: " + error.description)
        }
        guard let handle = bson_new_from_data(bytes, bytes.count) else {
            throw MongoError(.encoding, operation: operation, detail: "libbson takes no such document")
        }
        handles.append(handle)
        return handle
    }

    /// For a reply, which "must be freed with bson_destroy" whatever becomes of the call.
    func addReply() -> OpaquePointer {
        let reply: OpaquePointer = farwatch_bson_new_reply()
        replies.append(reply)
        return reply
    }

    /// A copy of a document that libmongoc or libbson keeps.
    func read(_ handle: OpaquePointer) throws(MongoError) -> BSONDocument {
        let bytes = UnsafeRawBufferPointer(start: farwatch_bson_bytes(handle), count: Int(farwatch_bson_length(handle)))
        do throws(BSONError) { return try BSONReader.decode(bytes) } catch {
            throw MongoError(.decoding, operation: operation, detail: "the server's document cannot be read: " + error.description)
        }
    }

    /// The same of what is only to explain a failure.
    func readIfPossible(_ handle: OpaquePointer?) -> BSONDocument {
        guard let handle else { return BSONDocument() }
        do throws(MongoError) { return try read(handle) } catch { return BSONDocument() }
    }
}
