/// Something that the collector needs, looked at without changing it. A file a check; `Doctor.checks` lists them.
protocol DoctorCheck: Sendable {
    /// What was found; never nothing. Takes a bounded time.
    func findings() async -> [DoctorFinding]
}

/// One line of what `doctor` says.
struct DoctorFinding: Sendable, Equatable {
    enum State: String, Sendable {
        case ok
        /// It works; something can be better.
        case advice
        /// The collector cannot do its work.
        case problem
        /// The configuration is wrong.
        case wrong
    }

    let state: State
    /// What was looked at: `broker`, `postgres schema`.
    let subject: String
    let detail: String
    /// What to do; nil when nothing is to be done.
    let remedy: String?

    static func ok(_ subject: String, _ detail: String) -> DoctorFinding { .init(state: .ok, subject: subject, detail: detail, remedy: nil) }

    static func advice(_ subject: String, _ detail: String, _ remedy: String) -> DoctorFinding {
        .init(state: .advice, subject: subject, detail: detail, remedy: remedy)
    }

    static func problem(_ subject: String, _ detail: String, _ remedy: String) -> DoctorFinding {
        .init(state: .problem, subject: subject, detail: detail, remedy: remedy)
    }
}
