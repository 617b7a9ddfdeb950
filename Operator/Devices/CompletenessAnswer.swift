/// What `/v1/devices/{id}/completeness` says, and one device of `/v1/completeness`.
struct CompletenessAnswer: Decodable {
    struct Gap: Decodable {
        let state: String
        let from: String
        let to: String
        let seconds: Double
        let cause: String?
    }

    struct Run: Decodable {
        let state: String
        let bins: Int
    }

    let device: String
    let from: String
    let to: String
    let complete: Bool
    let seconds: [String: Double]
    let samples: [String: Int64]
    let gaps: [Gap]?
    let strip: [Run]?

    /// The states in their order, with what stands for each in a picture of text.
    static let states: [(name: String, title: String, mark: String)] = [
        ("stored", "stored", "█"), ("thinned", "thinned", "▒"), ("evicted", "evicted", "x"), ("on_device", "on device", "~"),
        ("not_sampled", "not sampled", "·"), ("unknown", "unknown", "?"),
    ]
    private static let pictureWidth = 72
    /// Parts of a strip that are believed, and seconds.
    private static let binsMax = 1 << 16
    private static let secondsMax = 1e12
    private static let gapsShown = 10

    func share(of state: String) -> String {
        guard let expected = seconds["expected"], expected > 0 else { return "-" }
        let percent = (seconds[state] ?? 0) / expected * 100
        // What is there is not rounded away, nor made whole.
        if percent > 0, percent < 0.1 { return "<0.1%" }
        if percent < 100, percent > 99.9 { return ">99.9%" }
        return "\((percent * 10).rounded() / 10)%"
    }

    func show() throws {
        try Results.line("\(device)  \(from) to \(to): " + (complete ? "complete" : "not complete"))
        if let strip { try Results.line(Self.picture(strip)) }
        let rows = Self.states.map { state in
            [
                state.mark, state.title, Self.duration(seconds[state.name] ?? 0), share(of: state.name),
                samples[state.name].map { "\($0) samples" } ?? "",
            ]
        }
        try Table.show(["", "STATE", "TIME", "SHARE", "SAMPLES"], rows)
        guard let gaps, !gaps.isEmpty else { return }
        try Results.line("")
        try Table.show(
            ["GAPS", "FROM", "TO", "LENGTH", "CAUSE"],
            gaps.prefix(Self.gapsShown).map { gap in
                let title = Self.states.first { $0.name == gap.state }?.title ?? gap.state
                return [title, gap.from, gap.to, Self.duration(gap.seconds), gap.cause ?? ""]
            })
        if gaps.count > Self.gapsShown { try Results.line("… and more; --json has them.") }
    }

    /// The strip at a terminal's width: of each part the state that the strip has there.
    private static func picture(_ strip: [Run]) -> String {
        guard strip.allSatisfy({ (0...binsMax).contains($0.bins) }), strip.reduce(0, { min($0 + $1.bins, binsMax + 1) }) <= binsMax else { return "" }
        let bins = strip.flatMap { run in [String](repeating: states.first { $0.name == run.state }?.mark ?? "?", count: run.bins) }
        guard !bins.isEmpty else { return "" }
        // Of several bins under one mark the one that is not stored is shown: a gap must not fall between two marks.
        return (0..<pictureWidth).map { column in
            let first = column * bins.count / pictureWidth
            let part = bins[first..<max(first + 1, (column + 1) * bins.count / pictureWidth)]
            return part.first { $0 != states[0].mark } ?? part[first]
        }.joined()
    }

    static func duration(_ seconds: Double) -> String {
        if seconds == 0 { return "0" }
        guard abs(seconds) <= secondsMax else { return "?" }
        let whole = Int64(seconds.rounded())
        let (days, hours, minutes) = (whole / 86_400, whole / 3_600 % 24, whole / 60 % 60)
        if days > 0 { return "\(days) d \(hours) h" }
        if hours > 0 { return "\(hours) h \(minutes) min" }
        if minutes > 0 { return "\(minutes) min \(whole % 60) s" }
        return "\((seconds * 10).rounded() / 10) s"
    }
}
