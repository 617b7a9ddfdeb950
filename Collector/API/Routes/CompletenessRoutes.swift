import CompletenessService
import Hummingbird
import LinuxDriver
import ServiceSupport
import Telemetry

/// What became of a device's samples over a range of time, and of the fleet's.
struct CompletenessRoutes<Context: RequestContext>: Sendable {
    /// Gaps told of a device, the longest.
    private static var gapsMax: Int { 50 }
    /// Parts of the picture.
    private static var bins: Int { 480 }
    /// Devices of one page of the fleet, and when nothing is said.
    private static var devicesMax: Int { 100 }
    private static var devicesDefault: Int { 50 }
    /// Milliseconds: a day when nothing is said, ten years at most.
    private static var rangeDefault: Int64 { 86_400_000 }
    private static var rangeMax: Int64 { 3_660 * 86_400_000 }

    let completeness: CompletenessService
    let clock: Clock

    func add(to router: Router<Context>) {
        router.get("v1/devices/{id}/completeness") { request, context in try await device(DeviceRoutes<Context>.device(context), request) }
        router.get("v1/completeness") { request, _ in try await fleet(request) }
    }

    /// `from` and `to` as `…/series` has them, which may also be called `start` and `end`.
    private func range(_ request: Request) throws(Problem) -> Range<Int64> {
        let now = clock.wall()
        func time(_ names: (Substring, Substring)) throws(Problem) -> Int64? {
            let (first, second) = (try request.parameter(names.0), try request.parameter(names.1))
            guard first == nil || second == nil else { throw Problem(.badRequest, "\(names.0) and \(names.1) are the same; give one of them") }
            guard let text = first ?? second else { return nil }
            return try TimeParameters.time(text, String(first == nil ? names.1 : names.0), now: now)
        }
        let to = min(try time(("to", "end")) ?? now, now)
        let from = try time(("from", "start")) ?? max(0, to - Self.rangeDefault)
        guard from < to else { throw Problem(.badRequest, "from is not earlier than to, or lies in the future") }
        guard to - from <= Self.rangeMax else { throw Problem(.badRequest, "the range is longer than \(Self.rangeMax / 86_400_000) days") }
        return from..<to
    }

    private func device(_ id: DeviceId, _ request: Request) async throws -> Response {
        try request.takes("from", "to", "start", "end")
        guard let found = try await completeness.completeness(of: id, in: try range(request)) else {
            throw Problem(.notFound, "no device has the id \(id)")
        }
        return .json { object in
            object.string("device", id.text)
            object.completenessMembers(found)
            let gaps = found.gaps
            object.array("gaps") { array in for gap in gaps.prefix(Self.gapsMax) { array.gap(gap) } }
            object.integer("gaps_left_out", Int64(max(0, gaps.count - Self.gapsMax)))
            object.array("strip") { array in
                for run in found.strip(bins: Self.bins) {
                    array.object { object in
                        object.string("state", run.state.rawValue)
                        object.integer("bins", Int64(run.bins))
                    }
                }
            }
        }
    }

    private func fleet(_ request: Request) async throws -> Response {
        try request.takes("from", "to", "start", "end", "limit", "after")
        let limit = try request.count("limit", max: Self.devicesMax) ?? Self.devicesDefault
        let after = try request.device("after")
        let found = try await completeness.fleet(in: try range(request), after: after, limit: limit)
        return .json { object in
            object.array("devices") { array in
                for (device, completeness) in found {
                    array.object { object in
                        object.string("device", device.text)
                        switch completeness {
                        case .success(let found): object.completenessMembers(found)
                        case .failure(let error): object.string("error", "\(error.detail); ask for less of its time at once")
                        }
                    }
                }
            }
            if found.count == limit, let last = found.last { object.string("next", last.device.text) } else { object.null("next") }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func completenessMembers(_ found: Completeness) {
        time("from", found.range.lowerBound)
        time("to", found.range.upperBound)
        bool("complete", found.isComplete)
        object("seconds") { object in
            object.number("expected", Double(found.range.upperBound - found.range.lowerBound) / 1_000)
            for state in Completeness.State.allCases { object.number(state.rawValue, Double(found.milliseconds(state)) / 1_000) }
        }
        object("samples") { object in
            for state in [Completeness.State.stored, .thinned, .evicted] { object.integer(state.rawValue, found.samples[state] ?? 0) }
        }
    }

    fileprivate mutating func gap(_ gap: Completeness.Segment) {
        object { object in
            object.string("state", gap.state.rawValue)
            object.time("from", gap.time.lowerBound)
            object.time("to", gap.time.upperBound)
            object.number("seconds", Double(gap.milliseconds) / 1_000)
            if let cause = gap.cause { object.string("cause", cause) } else { object.null("cause") }
        }
    }
}
