import LinuxDriver
import Logging
import ServiceSupport
import Telemetry

/// Tells everybody of what a group's commit has come to: the devices first, then the services and those who look on.
struct ResultTeller: Sendable {
    let receivers: IngestPipeline.Receivers
    let changes: LiveChanges
    let metrics: IngestMetrics
    let clock: Clock
    let logger: Logger
    let publish: IngestPipeline.Publish

    /// `pace` goes with each acknowledgement, in bytes a second; nil for none.
    func tell(
        _ result: GroupWriter.Result, presence: some Swift.Sequence<DeviceId>, pace: Int?, _ limiter: inout NoticeLimiter
    ) async {
        var merger = AcknowledgementMerger()
        for settled in result.settled {
            let batch = settled.batch
            count(settled)
            merger.add(batch.device, batch.stream, batch.sequence, settled.outcome.acknowledged)
        }
        for refused in result.refused {
            metrics.refused.add(1, refused.refusal.reason.name)
            await tell(refused, &merger, &limiter)
        }
        if result.untaken > 0 { metrics.untaken.add(Double(result.untaken)) }
        if result.pushedOut > 0 {
            metrics.pushedOut.add(Double(result.pushedOut))
            logger.warning("quarantine is full: the oldest of it are kept no more", metadata: ["items": "\(result.pushedOut)"])
        }
        for (device, acknowledgement) in merger.messages(pace: pace) { await send(acknowledgement, to: device) }
        await announce(result, presence: presence)
    }

    /// Tells services and lookers-on alone: of what was replayed, the devices know nothing any more.
    func announce(_ result: GroupWriter.Result, presence: some Swift.Sequence<DeviceId>) async {
        if !result.activity.isEmpty { for receiver in receivers.commits { await receiver.committed(result.activity) } }
        let changed = Set(result.activity.keys).union(presence)
        if !changed.isEmpty { changes.mark(changed) }
    }

    func send(_ acknowledgement: Acknowledgement, to device: DeviceId) async {
        metrics.acknowledgements.add()
        await publish(Topic.ack(device), acknowledgement.encoded())
    }

    func count(_ settled: GroupWriter.Settled) {
        metrics.batches.add(1, settled.batch.kind.name, settled.outcome.name)
        metrics.samples.add(Double(settled.samples))
    }

    private func tell(_ refused: IngestGroup.Refused, _ merger: inout AcknowledgementMerger, _ limiter: inout NoticeLimiter) async {
        // One notice and one line of log in a while: a flood of noise must not become two.
        let mayTell = limiter.mayTell(refused.device, at: clock.boot())
        if mayTell {
            logger.warning("a message was refused", metadata: ["device": "\(refused.device)", "reason": "\(refused.refusal)"])
        }
        if let batch = refused.batch {
            merger.add(refused.device, batch.stream, batch.sequence, .refused(reason: refused.refusal.description))
        } else if mayTell {
            await send(Acknowledgement.unreadable(refused.refusal.description), to: refused.device)
        }
    }
}
