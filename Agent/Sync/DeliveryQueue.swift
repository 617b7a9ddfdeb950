import AgentBuffer
import Telemetry

/// What is asked of the device's queue. A seam: the agent has its `Buffer` here, a simulation the same behind faults of its own.
package protocol DeliveryQueue: AnyObject {
    var stream: StreamId { get }
    var newestSequence: Sequence64 { get }
    func seal(goingOut: Bool) throws(BufferError) -> Sequence64?
    /// Durable before it returns: the batch may have left the device from now on. True says that the batch may be another one now, or gone, and is to
    /// be fetched again.
    func markSent(_ sequence: Sequence64) throws(BufferError) -> Bool
    func batch(_ sequence: Sequence64) throws(BufferError) -> [UInt8]?
    func newestBatch(below sequence: Sequence64, priority: UInt8) throws(BufferError) -> (sequence: Sequence64, bytes: [UInt8])?
    /// How many of the run's batches were there.
    func forget(_ run: Acknowledgement.Run, of stream: StreamId) throws(BufferError) -> Int
}

extension Buffer: DeliveryQueue {}

extension SyncState.BacklogPart {
    /// The priority that the buffer keeps its batches under.
    var priority: UInt8 { self == .reports ? BatchKind.event.priority : BatchKind.samples.priority }
}
