import PostgresDriver

/// Has the continuous aggregates kept, on a server that has them. May be repeated, and done by several collectors at once.
package struct AggregateUpkeep {
    private let options: TimescaleOptions
    /// The server is of the community edition.
    private let isOffered: Bool

    package init(plan: Migrator.Plan, options: TimescaleOptions) {
        self.options = options
        isOffered = plan.tier == .community
    }

    /// Does `keep` apart from all other upkeep.
    /// - Returns: the names of those that are made by this.
    package func make(_ connection: PostgresConnection) throws(PostgresError) -> (made: [String], failures: [Upkeep.Failure]) {
        guard isOffered, try AggregateTable(connection).isSupported else { return ([], []) }
        let before = try AggregateTable(connection).missing().map { $0.name }
        let failures = keep(connection).failures
        let after = try AggregateTable(connection).missing().map { $0.name }
        return (before.filter { !after.contains($0) }, failures)
    }

    /// Makes those that are missing, and sees that each has its policy.
    /// - Returns: what could not be done, and whether what a refresh may look for may be dropped: not while one that is there may look too far back.
    func keep(_ connection: PostgresConnection) -> (failures: [Upkeep.Failure], mayDrop: Bool) {
        guard isOffered else { return ([], true) }
        do throws(PostgresError) {
            let table = AggregateTable(connection)
            guard try table.isSupported else { return ([], true) }
            return keep(table, try table.states())
        } catch { return ([Upkeep.Failure(step: "look at the continuous aggregates", error: error)], false) }
    }

    private func keep(_ table: AggregateTable, _ states: [AggregateTable.State]) -> (failures: [Upkeep.Failure], mayDrop: Bool) {
        var mayDrop = true
        var failures: [Upkeep.Failure] = []
        for aggregate in ContinuousAggregate.all {
            let state = states.first { $0.name == aggregate.name }
            // Those of somebody who wants them no more stay as they are, but for what would empty them.
            guard options.continuousAggregates || state?.job != nil else { continue }
            do throws(PostgresError) {
                if state == nil { try table.make(aggregate) }
                try table.setPolicy(aggregate, AggregatePolicy(aggregate, options))
            } catch {
                failures.append(Upkeep.Failure(step: "have \(aggregate.name) kept", error: error))
                if state != nil { mayDrop = false }
            }
        }
        return (failures, mayDrop)
    }

    /// Drops what is old.
    /// - Parameter time: now.
    func drop(time: Int64, _ connection: PostgresConnection) -> [Upkeep.Failure] {
        guard isOffered else { return [] }
        var failures: [Upkeep.Failure] = []
        do throws(PostgresError) {
            let table = AggregateTable(connection)
            guard try table.isSupported else { return [] }
            let there = try table.states().map { $0.name }
            for aggregate in ContinuousAggregate.all where there.contains(aggregate.name) {
                guard let kept = AggregatePolicy(aggregate, options).kept else { continue }
                do throws(PostgresError) { try table.drop(aggregate.name, before: time - kept.inMilliseconds) } catch {
                    failures.append(Upkeep.Failure(step: "drop what is old of \(aggregate.name)", error: error))
                }
            }
        } catch { failures.append(Upkeep.Failure(step: "look at the continuous aggregates", error: error)) }
        return failures
    }
}
