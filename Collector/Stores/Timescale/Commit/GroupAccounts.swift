import Telemetry
import TimeSeriesStores

/// The accounts that a transaction touches, read under its locks: what becomes of each batch, and which accounts have to be written. A value.
package struct GroupAccounts: Sendable {
    package struct Key: Hashable, Sendable {
        package let device: Int64
        package let stream: StreamId

        package init(device: Int64, stream: StreamId) {
            self.device = device
            self.stream = stream
        }
    }

    private var accounts: [Key: TakenSequences]
    package private(set) var changed: Set<Key> = []

    /// - Parameter accounts: those that the store has, of every key that will be asked about.
    package init(_ accounts: [Key: TakenSequences] = [:]) { self.accounts = accounts }

    package subscript(key: Key) -> TakenSequences { accounts[key] ?? TakenSequences() }

    /// The accounts that a batch and its receipt touch.
    package static func keys(of incoming: IncomingBatch, device: Int64) -> [Key] {
        let streams = [incoming.batch.stream, incoming.batch.origin?.stream, incoming.receipt?.stream]
        return streams.compactMap { $0.map { Key(device: device, stream: $0) } }
    }

    /// Takes a batch under its own name and the one it was salvaged from, or neither.
    package mutating func take(_ batch: Batch, of device: Int64) -> CommitOutcome {
        let own = Key(device: device, stream: batch.stream)
        let outcome = self[own].outcome(of: batch.sequences)
        guard outcome == .committed else { return outcome }
        if let origin = batch.origin, let sequences = batch.originSequences {
            let old = Key(device: device, stream: origin.stream)
            let known = self[old].outcome(of: sequences)
            // It was taken before the file was damaged: the new name is done with too.
            if known == .duplicate { change(own) { $0.close(batch.sequences) } }
            guard known == .committed else { return known }
            change(old) { _ = $0.take(sequences) }
        }
        change(own) { _ = $0.take(batch.sequences) }
        return .committed
    }

    /// Nothing more will come of what a receipt says was dropped.
    package mutating func close(_ receipt: EvictionReceipt, of device: Int64) {
        guard receipt.action == .dropped else { return }
        change(Key(device: device, stream: receipt.stream)) { account in for range in receipt.sequences { account.close(range) } }
    }

    package mutating func refuse(_ place: QuarantinedItem.Place, of device: Int64) {
        change(Key(device: device, stream: place.stream)) { $0.refuse(place.sequences) }
    }

    private mutating func change(_ key: Key, _ body: (inout TakenSequences) -> Void) {
        changed.insert(key)
        // In place: an account is not copied for a sequence.
        body(&accounts[key, default: TakenSequences()])
    }
}
