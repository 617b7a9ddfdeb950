import CollectorIngest
import Hummingbird
import Telemetry
import TimeSeriesStores

/// `/v1/quarantine`: what was refused; to look at, to play again, to throw away.
struct QuarantineRoutes<Context: RequestContext>: Sendable {
    let store: any TimeSeriesStore
    let replay: QuarantineReplay

    func add(to router: Router<Context>) {
        router.get("v1/quarantine") { request, _ in try await list(request) }
        router.get("v1/quarantine/{item}") { request, context in try await show(Self.item(request, context)) }
        router.post("v1/quarantine/replay") { request, _ in try await replayAll(request) }
        router.post("v1/quarantine/{item}/replay") { request, context in try await replay(Self.item(request, context)) }
        router.delete("v1/quarantine/{item}") { request, context in try await delete(Self.item(request, context)) }
    }

    /// What stands beside the items, and takes other methods than they do.
    private static var notItem: String { "replay" }

    private static func item(_ request: Request, _ context: Context) throws -> Int64 {
        let name = context.parameters.get("item") ?? ""
        guard name != notItem else { throw HTTPError(.notFound) }
        try request.takes()
        guard let id = Int64(name), id > 0 else { throw Problem(.badRequest, "an item's id is a whole number from 1 on") }
        return id
    }

    private func unknown(_ id: Int64) -> Problem { Problem(.notFound, "there is no item \(id) in quarantine") }

    private func list(_ request: Request) async throws -> Response {
        try request.takes("device", "reason", "limit", "before")
        let limit = try request.count("limit", max: QuarantineQuery.limitMax) ?? QuarantineQuery.limitMax
        let before = try request.count("before", max: .max).map { Int64($0) }
        let query = QuarantineQuery(
            device: try request.device("device"), reason: try request.parameter("reason"), before: before, limit: limit)
        let items = try await store.quarantined(query)
        return .json { object in
            object.array("items") { array in for item in items { array.object { $0.quarantineMembers(item) } } }
            object.integerOrNull("next", items.count == limit ? items.last?.id : nil)
        }
    }

    private func show(_ id: Int64) async throws -> Response {
        guard let item = try await store.quarantined(id: id) else { throw unknown(id) }
        return .json { object in
            object.quarantineMembers(item)
            object.quarantineContent(item)
        }
    }

    private func replay(_ id: Int64) async throws -> Response {
        guard let outcome = try await replay.replay(id: id) else { throw unknown(id) }
        return .json { object in
            object.integer("id", id)
            switch outcome {
            case .committed(let samples):
                object.string("outcome", "committed")
                object.integer("samples", Int64(samples))
            case .duplicate: object.string("outcome", "duplicate")
            case .refused(let refusal):
                object.string("outcome", "refused")
                object.string("reason", refusal.description)
            }
        }
    }

    private func replayAll(_ request: Request) async throws -> Response {
        try request.takes("device", "reason")
        let summary = try await replay.replayAll(device: try request.device("device"), reason: try request.parameter("reason"))
        return .json { object in
            object.integer("committed", Int64(summary.committed))
            object.integer("duplicates", Int64(summary.duplicates))
            object.integer("refused", Int64(summary.refused))
        }
    }

    private func delete(_ id: Int64) async throws -> Response {
        guard try await store.removeQuarantined(id: id) else { throw unknown(id) }
        return Response(status: .noContent)
    }
}

extension JSONWriter {
    fileprivate mutating func quarantineMembers(_ item: QuarantinedItem) {
        integer("id", item.id)
        string("device", item.device.text)
        string("reason", item.reason)
        time("at", item.at)
        integer("bytes", Int64(item.bytes.count))
        bool("cut", item.isCut)
        if let place = item.place {
            string("stream", String(place.stream, radix: 16))
            array("sequences") { array in
                array.integer(nil, Int64(clamping: place.sequences.lowerBound))
                array.integer(nil, Int64(clamping: place.sequences.upperBound))
            }
        } else {
            null("stream")
            null("sequences")
        }
    }

    /// The bytes, and what reading them gives.
    fileprivate mutating func quarantineContent(_ item: QuarantinedItem) {
        string("hex", item.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
        do throws(DecodingError) {
            let batch = try Batch(decoding: item.bytes)
            object("batch") { object in
                object.string("device", batch.device.text)
                object.string("kind", batch.kind.name)
                object.string("stream", String(batch.stream, radix: 16))
                object.integer("sequence", Int64(clamping: batch.sequence))
                object.integer("span", Int64(clamping: batch.span))
                object.integer("resolution", Int64(batch.resolution))
                // A time that no calendar has comes as it is.
                object.integer("sealed_at_milliseconds", batch.sealedAt)
                object.payload(of: batch)
            }
            null("undecodable")
        } catch {
            null("batch")
            string("undecodable", error.description)
        }
    }

    private mutating func payload(of batch: Batch) {
        guard batch.kind == .samples else { return string("text", String(decoding: batch.payload, as: UTF8.self)) }
        do throws(DecodingError) {
            let block = try Block(decoding: batch.payload)
            integer("ticks", Int64(block.timestamps.count))
            integer("samples", Int64(block.sampleCount))
            integerOrNull("first_milliseconds", block.timestamps.min())
            integerOrNull("last_milliseconds", block.timestamps.max())
            array("series") { array in for column in block.columns { array.string(nil, column.series.description) } }
        } catch { string("undecodable", error.description) }
    }
}
