/// One line of what `doctor` says.
package struct DoctorFinding: Sendable, Equatable {
    package enum State: String, Sendable {
        case ok
        /// It works; something can be better.
        case advice
        /// The program cannot do its work.
        case problem
        /// The configuration is wrong.
        case wrong
    }

    package let state: State
    /// What was looked at: `broker`, `postgres schema`.
    package let subject: String
    package let detail: String
    /// What to do; nil when nothing is to be done.
    package let remedy: String?

    package init(state: State, subject: String, detail: String, remedy: String?) {
        self.state = state
        self.subject = subject
        self.detail = detail
        self.remedy = remedy
    }

    package static func ok(_ subject: String, _ detail: String) -> DoctorFinding { .init(state: .ok, subject: subject, detail: detail, remedy: nil) }

    package static func advice(_ subject: String, _ detail: String, _ remedy: String) -> DoctorFinding {
        .init(state: .advice, subject: subject, detail: detail, remedy: remedy)
    }

    package static func problem(_ subject: String, _ detail: String, _ remedy: String) -> DoctorFinding {
        .init(state: .problem, subject: subject, detail: detail, remedy: remedy)
    }
}
