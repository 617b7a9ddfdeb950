import PostgresDriver
import Telemetry
import TimeSeriesStores

/// One group in one transaction: what is taken, the samples' rows, the roll-ups, receipts and sums.
struct GroupCommit: Sendable {
    /// How old samples may be to get the status that certificates have now, in milliseconds.
    private static let statusAgeMax: Int64 = 3_600_000

    struct Result: Sendable {
        var outcomes: [CommitOutcome]
    }

    let group: [IncomingBatch]
    /// The collector that writes.
    let writer: Int64
    /// Of the devices' worst certificates, now.
    let statuses: [DeviceId: String]
    /// UTC, milliseconds since 1970.
    let now: Int64

    /// What is committed, with the device's number.
    private struct Taken {
        let incoming: IncomingBatch
        let device: Int64
    }

    /// The partitions that the group's rows fall into.
    static func partitions(of group: [IncomingBatch]) -> Set<Partitions.Partition> {
        var partitions: Set<Partitions.Partition> = []
        func add(_ table: TimeTable, _ time: Int64) { partitions.insert(.init(table: table, number: table.partition(of: time))) }
        for incoming in group {
            guard let block = incoming.block, let ticks = incoming.ticks else { continue }
            // A block's ticks rarely lie on more than two days: no need to look at each.
            let days = TimeTable.deviceMetrics.partition(of: ticks.start)...TimeTable.deviceMetrics.partition(of: ticks.end)
            let times = days.count <= 2 ? [ticks.start, ticks.end] : block.timestamps
            for time in times {
                for table in [TimeTable.deviceMetrics, .metricSamples] { add(table, time) }
                for level in RollupLevel.allCases { add(level.table, level.bucket(of: time)) }
            }
            add(.sampleBatches, ticks.end)
        }
        return partitions
    }

    /// Within a transaction.
    func run(_ connection: PostgresConnection) throws(PostgresError) -> Result {
        let numbers = try DeviceTable(connection: connection).lock(Set(group.map { $0.batch.device }))
        var keys: Set<GroupAccounts.Key> = []
        for incoming in group { keys.formUnion(GroupAccounts.keys(of: incoming, device: numbers[incoming.batch.device] ?? 0)) }
        var accounts = try AccountTable(connection: connection).accounts(keys)
        var taken: [Taken] = []
        var outcomes: [CommitOutcome] = []
        outcomes.reserveCapacity(group.count)
        for incoming in group {
            guard let device = numbers[incoming.batch.device] else { throw unnumbered }
            let outcome = accounts.take(incoming.batch, of: device)
            outcomes.append(outcome)
            guard outcome == .committed else { continue }
            taken.append(Taken(incoming: incoming, device: device))
            if let receipt = incoming.receipt { accounts.close(receipt, of: device) }
        }
        try write(taken, connection)
        try keepReceipts(taken, connection)
        if !accounts.changed.isEmpty { _ = try connection.pipeline([AccountTable.update(accounts)]) }
        return Result(outcomes: outcomes)
    }

    private let unnumbered = PostgresError(.failed, operation: "commit", detail: "a device has no number")

    init(group: [IncomingBatch], writer: Int64, statuses: [DeviceId: String] = [:], now: Int64 = 0) {
        self.group = group
        self.writer = writer
        self.statuses = statuses
        self.now = now
    }

    // MARK: Rows

    private func write(_ taken: [Taken], _ connection: PostgresConnection) throws(PostgresError) {
        let blocks = taken.filter { $0.incoming.block != nil }
        guard !blocks.isEmpty else { return }
        var keys: Set<SeriesNumbers.Key> = []
        for one in blocks { for column in one.incoming.block?.columns ?? [] { keys.insert(.init(device: one.device, series: column.series)) } }
        let numbers = try SeriesNumbers(connection: connection).numbers(of: keys)
        try copy(blocks, connection)
        var columns = GroupColumns()
        var tallies: [Int64: DeviceTable.Tally] = [:]
        for one in blocks {
            guard let block = one.incoming.block, let ticks = one.incoming.ticks else { continue }
            tallies[one.device, default: .init()].add(one.incoming, block, ticks)
            try columns.add(block) { numbers[.init(device: one.device, series: $0)] }
        }
        let sums = tallies.sorted { $0.key < $1.key }.map { (device: $0.key, tally: $0.value) }
        try columns.write(connection, then: DeviceTable.update(sums, writer: writer))
    }

    /// What has a row a tick or a batch.
    private func copy(_ blocks: [Taken], _ connection: PostgresConnection) throws(PostgresError) {
        try connection.copyIn(TimeTable.deviceMetrics.name, columns: SampleRows.deviceColumns) { (writer) throws(PostgresError) in
            for one in blocks {
                guard let block = one.incoming.block else { continue }
                try SampleRows.writeDeviceRows(block, of: one.incoming.batch.device, status: status(of: one.incoming), to: writer)
            }
        }
        try connection.copyIn(TimeTable.sampleBatches.name, columns: SampleRows.batchColumns) { (writer) throws(PostgresError) in
            for one in blocks {
                guard let block = one.incoming.block, let ticks = one.incoming.ticks else { continue }
                try SampleRows.writeBatchRow(one.incoming.batch, block, ticks, device: one.device, to: writer)
            }
        }
    }

    /// Late samples have none: what the certificates were then is not known any more.
    private func status(of incoming: IncomingBatch) -> String? {
        guard let start = incoming.ticks?.start, start >= now - Self.statusAgeMax else { return nil }
        return statuses[incoming.batch.device]
    }

    private func keepReceipts(_ taken: [Taken], _ connection: PostgresConnection) throws(PostgresError) {
        var receipts: [Int64: [EvictionReceipt]] = [:]
        for one in taken { if let receipt = one.incoming.receipt { receipts[one.device, default: []].append(receipt) } }
        let table = ReceiptTable(connection: connection)
        for (device, kept) in receipts.sorted(by: { $0.key < $1.key }) { try table.keep(kept, of: device) }
    }
}
