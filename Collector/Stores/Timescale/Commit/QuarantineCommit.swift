import PostgresDriver
import Telemetry
import TimeSeriesStores

/// Items into quarantine, and the sequences they stand for closed, in one transaction.
struct QuarantineCommit: Sendable {
    let items: [QuarantinedItem]

    /// How many went for want of room.
    func run(_ connection: PostgresConnection) throws(PostgresError) -> Int {
        let table = QuarantineTable(connection: connection)
        try table.takeLock()
        let placed = items.filter { $0.place != nil }
        let numbers = try DeviceTable(connection: connection).lock(Set(placed.map { $0.device }))
        var keys: Set<GroupAccounts.Key> = []
        for item in placed { if let key = key(of: item, numbers) { keys.insert(key) } }
        var accounts = try AccountTable(connection: connection).accounts(keys)
        for item in placed { if let place = item.place, let key = key(of: item, numbers) { accounts.refuse(place, of: key.device) } }
        if !accounts.changed.isEmpty { _ = try connection.pipeline([AccountTable.update(accounts)]) }
        try table.insert(items)
        return try table.trim()
    }

    private func key(of item: QuarantinedItem, _ numbers: [DeviceId: Int64]) -> GroupAccounts.Key? {
        guard let place = item.place, let device = numbers[item.device] else { return nil }
        return GroupAccounts.Key(device: device, stream: place.stream)
    }
}
