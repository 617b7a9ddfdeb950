import Settings

/// Something that the collector needs, looked at without changing it. A file a check; `Doctor.checks` lists them.
protocol DoctorCheck: Sendable {
    /// What was found; never nothing. Takes a bounded time.
    func findings() async -> [DoctorFinding]
}
