import Hummingbird
import Telemetry

extension Request {
    /// The parameters that a route takes. Any other is a mistake, and one that would widen what is asked for if it were passed over.
    func takes(_ names: Substring...) throws(Problem) {
        for (name, _) in uri.queryParameters where !names.contains(name) {
            let known = names.isEmpty ? "there are none" : "those there are: " + names.joined(separator: ", ")
            throw Problem(.badRequest, "there is no parameter \(Self.shown(name)) here; \(known)")
        }
    }

    /// A parameter's only value.
    func parameter(_ name: Substring) throws(Problem) -> String? {
        let values = try parameters(name)
        guard values.count <= 1 else { throw Problem(.badRequest, "\(name) is given more than once") }
        return values.first
    }

    /// A parameter's values. An empty one is not one that was left out.
    func parameters(_ name: Substring) throws(Problem) -> [String] {
        let values = uri.queryParameters[values: name].map { String($0) }
        guard values.allSatisfy({ !$0.isEmpty }) else { throw Problem(.badRequest, "\(name) is empty") }
        return values
    }

    /// A parameter that is a whole number from 1 on.
    func count(_ name: Substring, max: Int) throws(Problem) -> Int? {
        guard let text = try parameter(name) else { return nil }
        guard let count = Int(text), (1...max).contains(count) else { throw Problem(.badRequest, "\(name) is not a whole number from 1 to \(max)") }
        return count
    }

    /// A parameter that is a device's id.
    func device(_ name: Substring) throws(Problem) -> DeviceId? {
        guard let text = try parameter(name) else { return nil }
        guard let device = DeviceId(text) else { throw Problem(.badRequest, "\(name) is 1 to 64 of A-Z a-z 0-9 . _ -") }
        return device
    }

    /// A client's word as it may stand in an answer.
    private static func shown(_ name: Substring) -> String {
        String(String.UnicodeScalarView(name.unicodeScalars.prefix(64).map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }))
    }
}
