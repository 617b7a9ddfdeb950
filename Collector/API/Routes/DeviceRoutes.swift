import CertificateService
import DeviceService
import Hummingbird
import LinuxDriver
import Telemetry
import TimeSeriesStores

/// `/v1/devices`, one device, and its samples.
struct DeviceRoutes<Context: RequestContext>: Sendable {
    /// Points of an answer: some ten megabytes of JSON.
    private static var pointsMax: Int { 200_000 }
    private static var metricsMax: Int { 100 }

    let fleet: FleetView
    let store: any TimeSeriesStore
    let queries: QueryCache

    func add(to router: Router<Context>) {
        router.get("v1/devices") { request, _ in
            try request.takes()
            return try await list()
        }
        router.get("v1/devices/{id}") { request, context in
            try request.takes()
            return try await detail(of: Self.device(context))
        }
        router.get("v1/devices/{id}/recent") { request, context in
            try request.takes()
            return try await recent(of: Self.device(context))
        }
        router.get("v1/devices/{id}/series") { request, context in try await series(of: Self.device(context), request) }
    }

    static func device(_ context: Context) throws(Problem) -> DeviceId {
        guard let id = context.parameters.get("id").flatMap({ DeviceId($0) }) else {
            throw Problem(.badRequest, "a device's id is 1 to 64 of A-Z a-z 0-9 . _ -")
        }
        return id
    }

    private func list() async throws -> Response {
        let devices = try await fleet.json().text
        return .json { $0.raw("devices", devices) }
    }

    private func detail(of id: DeviceId) async throws -> Response {
        guard let detail = try await fleet.devices.detail(of: id) else { throw unknown(id) }
        let now = fleet.clock.wall()
        let worst = try await fleet.certificates.worst(of: [id], at: now)[id]
        let certificates = try await fleet.certificates.certificates(of: id, at: now)
        let problems = try await fleet.certificates.problems(of: id)
        return .json { object in
            object.deviceMembers(detail.row, worst: worst, at: now)
            object.detailMembers(detail, certificates: certificates, problems: problems, at: now)
        }
    }

    private func series(of id: DeviceId, _ request: Request) async throws -> Response {
        try request.takes("from", "to", "step", "metric", "mean", "hold")
        // By whole seconds, so that who asks for the last hour asks what another has just asked; up, so that the newest sample is in it.
        let now = (fleet.clock.wall() + 999) / 1_000 * 1_000
        let time = try TimeParameters(
            from: request.parameter("from"), to: request.parameter("to"), step: request.parameter("step"), now: now)
        let metrics = try request.parameters("metric")
        guard metrics.count <= Self.metricsMax else { throw Problem(.badRequest, "metric is given more than \(Self.metricsMax) times") }
        let weighting = try WeightingParameters.weighting(mean: request.parameter("mean"), hold: request.parameter("hold"))
        guard try await fleet.devices.exists(id) else { throw unknown(id) }
        let query = RangeQuery(
            device: id, from: time.from, to: time.to, step: time.step, metrics: metrics.isEmpty ? nil : Set(metrics), pointsMax: Self.pointsMax,
            weighting: weighting)
        // Whatever is committed of a device changes how many samples it has.
        let question = ["series", id.text, "\(time)", "\(weighting)", "\(try await store.sampleCount(of: id))"] + metrics.sorted()
        let text = try await queries.answer(to: question) { Self.text(try await store.range(query), of: query) }
        return .text(text, type: "application/json")
    }

    private static func text(_ found: [AggregatedSeries], of query: RangeQuery) -> String {
        var writer = JSONWriter()
        writer.object { object in
            object.string("device", query.device.text)
            object.time("from", query.from)
            object.time("to", query.to)
            object.integer("step", query.step / 1_000)
            object.array("series") { array in for series in found { array.aggregated(series) } }
        }
        return writer.text
    }

    private func recent(of id: DeviceId) async throws -> Response {
        guard let found = try await fleet.devices.recent(of: id) else { throw unknown(id) }
        return .json { object in
            object.string("device", id.text)
            object.array("recent") { array in for values in found { array.latest(nil, values) } }
        }
    }

    private func unknown(_ id: DeviceId) -> Problem { Problem(.notFound, "no device has the id \(id)") }
}
