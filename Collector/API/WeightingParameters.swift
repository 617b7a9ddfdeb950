import Hummingbird
import TimeSeriesStores

/// What a mean is to be of, read from a question's parameters.
enum WeightingParameters {
    /// How long a value holds when the question does not say: as long as Prometheus looks back for one.
    private static let holdDefault: Int64 = 300_000

    static func weighting(mean: String?, hold: String?) throws(Problem) -> RangeQuery.Weighting {
        switch mean {
        case nil, "samples":
            guard hold == nil else { throw Problem(.badRequest, "hold is for mean=time alone") }
            return .samples
        case "time":
            let held = try hold.map { text throws(Problem) in try TimeParameters.duration(text, "hold") } ?? holdDefault
            guard TimeWeightedSteps.holdRange.contains(held) else { throw Problem(.badRequest, "hold is not from 1m to 1d") }
            return .time(holdMax: held)
        default: throw Problem(.badRequest, "mean is neither samples nor time")
        }
    }
}
