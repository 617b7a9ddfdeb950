import SQLiteDriver
import Telemetry

/// The accounts that a transaction touches: each is read once, within the transaction, since another collector may have changed it, and written
/// once if it changed.
struct AccountBook {
    private struct Key: Hashable {
        let device: Int64
        let stream: StreamId
    }

    private let statements: WriterStatements
    private var accounts: [Key: TakenSequences] = [:]
    private var changed: Set<Key> = []

    init(_ statements: WriterStatements) { self.statements = statements }

    /// Takes a batch under its own name and the one it was salvaged from, or neither.
    mutating func take(_ batch: Batch, of device: Int64) throws(SQLiteError) -> CommitOutcome {
        let own = try load(device, batch.stream)
        let outcome = accounts[own]?.outcome(of: batch.sequences) ?? .committed
        guard outcome == .committed else { return outcome }
        if let origin = batch.origin, let sequences = batch.originSequences {
            let old = try load(device, origin.stream)
            let known = accounts[old]?.outcome(of: sequences) ?? .committed
            // It was taken before the file was damaged: the new name is done with too.
            if known == .duplicate { change(own) { $0.close(batch.sequences) } }
            guard known == .committed else { return known }
            change(old) { _ = $0.take(sequences) }
        }
        change(own) { _ = $0.take(batch.sequences) }
        return .committed
    }

    /// Nothing more will come of these sequences.
    mutating func close(_ sequences: [ClosedRange<Sequence64>], of stream: StreamId, _ device: Int64) throws(SQLiteError) {
        let key = try load(device, stream)
        change(key) { account in for range in sequences { account.close(range) } }
    }

    mutating func refuse(_ place: QuarantinedItem.Place, _ device: Int64) throws(SQLiteError) {
        let key = try load(device, place.stream)
        change(key) { $0.refuse(place.sequences) }
    }

    func save() throws(SQLiteError) {
        for key in changed { if let account = accounts[key] { try statements.setTaken(key.device, key.stream, account) } }
    }

    private mutating func load(_ device: Int64, _ stream: StreamId) throws(SQLiteError) -> Key {
        let key = Key(device: device, stream: stream)
        if accounts[key] == nil { accounts[key] = try statements.taken(device, stream) ?? TakenSequences() }
        return key
    }

    private mutating func change(_ key: Key, _ body: (inout TakenSequences) -> Void) {
        changed.insert(key)
        // In place: an account is not copied for a sequence.
        body(&accounts[key, default: TakenSequences()])
    }
}
