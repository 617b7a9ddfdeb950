/// The last things that happened, for the report of a seed that fails.
final class Trace {
    private static let linesMax = 400

    private let time: VirtualTime
    private let isKept: Bool
    private(set) var lines: [String] = []

    init(_ time: VirtualTime, isKept: Bool) {
        self.time = time
        self.isKept = isKept
    }

    func note(_ line: @autoclosure () -> String) {
        guard isKept else { return }
        if lines.count >= 2 * Self.linesMax { lines.removeFirst(Self.linesMax) }
        lines.append("\(time.now - 1_000_000) \(line())")
    }
}
