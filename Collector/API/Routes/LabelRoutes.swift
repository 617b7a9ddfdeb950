import DeviceService
import DocumentStores
import Hummingbird
import LinuxDriver
import Telemetry

/// `/v1/devices/{id}/labels`: what operators call a device by. The site and the group stand in calendars.
struct LabelRoutes<Context: RequestContext>: Sendable {
    private static var countMax: Int { 16 }
    private static var charactersMax: Int { 64 }
    private static var bytesMax: Int { 16 * 1024 }

    let devices: DeviceService
    let clock: Clock

    func add(to router: Router<Context>) {
        router.put("v1/devices/{id}/labels") { request, context in
            try request.takes()
            return try await set(DeviceRoutes<Context>.device(context), request)
        }
    }

    private func set(_ id: DeviceId, _ request: Request) async throws -> Response {
        let body = try await request.body.collect(upTo: Self.bytesMax)
        let labels = try Self.labels(Array(body.readableBytesView))
        guard try await devices.setLabels(labels, of: id, at: clock.wall()) else { throw Problem(.notFound, "no device has the id \(id)") }
        return .json { object in for (name, value) in labels.sorted(by: { $0.key < $1.key }) { object.string(name, value) } }
    }

    private static func labels(_ bytes: [UInt8]) throws(Problem) -> [String: String] {
        guard let members = try? JSONParser.parse(bytes[...]).object, members.count <= countMax else {
            throw Problem(
                .badRequest, "the body is to be a JSON object of at most \(countMax) labels, such as {\"site\": \"north\", \"group\": \"pumps\"}")
        }
        var labels: [String: String] = [:]
        for (name, value) in members {
            guard !name.isEmpty, name.utf8.count <= charactersMax, name.utf8.allSatisfy({ ($0 >= 0x61 && $0 <= 0x7A) || $0 == 0x5F }) else {
                throw Problem(.badRequest, "a label's name is 1 to \(charactersMax) of a-z and _")
            }
            guard let text = value.text, (1...charactersMax).contains(text.unicodeScalars.count),
                !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
            else { throw Problem(.badRequest, "the label \(name) is to be a text of 1 to \(charactersMax) characters") }
            labels[name] = text
        }
        return labels
    }
}
