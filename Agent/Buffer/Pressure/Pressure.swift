import Telemetry

/// What a buffer that is too full does next. A value: what it holds goes in, one step comes out.
///
/// Raw samples may have half of the room and minutes three tenths, so that there is fine detail of late and a long coarse past; what is
/// beyond its share is thinned, oldest first. When both are within theirs, the oldest samples go; one that can still be thinned is thinned
/// instead. Documents and events go when there are no samples.
struct Pressure {
    enum Step: Equatable {
        case thin(to: Int)
        case dropSamples
        case dropUrgent
    }

    static let minute = 60
    static let coarse = 600
    private static let rawShare: Int64 = 50
    private static let minuteShare: Int64 = 30

    let holdings: Holdings
    /// What the buffer may hold of samples, in bytes.
    let capacity: Int64
    /// What the oldest samples are; nil when there are none.
    let oldest: Holdings.Kind?
    /// Whether there may be something left to thin to minutes, and from minutes.
    let canThinRaw: Bool
    let canThinMinutes: Bool

    var next: Step {
        let share = capacity / 100
        if canThinRaw, holdings[.raw].bytes > share * Self.rawShare { return .thin(to: Self.minute) }
        if canThinMinutes, holdings[.minute].bytes > share * Self.minuteShare || holdings[.raw].bytes > share * Self.rawShare {
            return .thin(to: Self.coarse)
        }
        switch oldest {
        case .raw? where canThinRaw: return .thin(to: Self.minute)
        case .raw?, .minute?: return canThinMinutes ? .thin(to: Self.coarse) : .dropSamples
        case .coarse?, .urgent?: return .dropSamples
        case nil: return .dropUrgent
        }
    }
}
