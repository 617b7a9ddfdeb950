import Telemetry

/// Decides how fast devices may send their backlog while the stores lag. It slows the fleet down when messages wait too long, lets it go faster
/// step by step when they do not, and lets it go altogether when that has held. A value: no clock, no lock.
package struct PaceControl: Equatable, Sendable {
    /// What is known at one moment.
    package struct Reading: Sendable {
        /// Milliseconds of a clock that never steps.
        package var now: Int64
        /// How long the oldest message waits, milliseconds.
        package var oldestAge: Int64 = 0
        /// How full the queue is, 0…1.
        package var fill = 0.0
        /// Committed since the last reading, and the time that took.
        package var bytesCommitted = 0
        package var commitMilliseconds: Int64 = 0
        package var isStoreDown = false
        /// Devices that sent anything in the last minute.
        package var devices = 0

        package init(now: Int64) { self.now = now }
    }

    /// Messages wait too long from here on, milliseconds, or fill the queue too far …
    package static let lagMax: Int64 = 2_000
    package static let fillMax = 0.5
    /// … and no longer do below these. Between the two nothing changes.
    package static let lagCalm: Int64 = 500
    package static let fillCalm = 0.1
    /// Between two changes of the rate, milliseconds.
    package static let stepInterval: Int64 = 1_000
    /// What a step takes off or adds.
    private static let slower = 0.7
    private static let faster = 1.25
    /// Of what the stores were seen to take, the share that the fleet begins with: live batches need the rest.
    private static let beginning = 0.5
    /// The fleet is let go when it may send so many times what the stores take.
    private static let lettingGo = 2.0
    /// What a device gets at least, bytes a second: a batch of telemetry a minute.
    package static let deviceMin = 1_024
    /// What the stores are taken for before anything was measured, bytes a second.
    private static let capacityGuess = 4.0 * 1024 * 1024
    /// Devices that were there when trouble began are counted for this long after they were last seen, milliseconds.
    private static let devicesHeld: Int64 = 60_000

    /// What the stores take, bytes a second, smoothed.
    private(set) var capacity = Self.capacityGuess
    /// What the whole fleet may send, bytes a second; nil when it is free.
    package private(set) var fleetRate: Double?
    private var steppedAt: Int64 = 0
    private var observedAt: Int64 = 0
    private var devices = 1
    private var devicesAt: Int64 = 0

    package init() {}

    /// What each device is asked to keep to, bytes a second; nil for nothing.
    package var pace: Int? {
        fleetRate.map { rate in min(max(Int(rate / Double(devices)), Self.deviceMin), Acknowledgement.paceMax) }
    }

    /// The same, or nil when nothing has been observed for so long that it holds no more.
    package func pace(at now: Int64) -> Int? { now - observedAt > Acknowledgement.paceValidity ? nil : pace }

    /// Takes a reading in.
    package mutating func observe(_ reading: Reading) {
        learn(reading)
        let silence = reading.now - observedAt
        observedAt = reading.now
        let isOverloaded = reading.isStoreDown || reading.oldestAge > Self.lagMax || reading.fill > Self.fillMax
        guard let rate = fleetRate else {
            if isOverloaded { begin(reading.now) }
            return
        }
        // Whoever was asked has let go by itself.
        if silence > Acknowledgement.paceValidity, !isOverloaded {
            fleetRate = nil
            return
        }
        guard reading.now - steppedAt >= Self.stepInterval else { return }
        steppedAt = reading.now
        if reading.isStoreDown {
            // Nothing is sent on acknowledgements, so nothing is learned: it begins anew when the store is back.
            fleetRate = capacity * Self.beginning
        } else if isOverloaded {
            fleetRate = max(rate * Self.slower, Double(Self.deviceMin))
        } else if reading.oldestAge < Self.lagCalm, reading.fill < Self.fillCalm {
            let next = rate * Self.faster
            fleetRate = next >= capacity * Self.lettingGo ? nil : next
        }
    }

    private mutating func begin(_ now: Int64) {
        fleetRate = capacity * Self.beginning
        steppedAt = now
    }

    private mutating func learn(_ reading: Reading) {
        if reading.commitMilliseconds > 0, reading.bytesCommitted > 0 {
            let seen = Double(reading.bytesCommitted) * 1_000 / Double(reading.commitMilliseconds)
            // A group of a few messages says how long a sync takes, not what the stores can take.
            if seen > capacity || reading.fill > Self.fillCalm || reading.oldestAge > Self.lagCalm { capacity += (seen - capacity) / 8 }
        }
        if reading.devices >= devices || reading.now - devicesAt > Self.devicesHeld {
            devices = max(1, reading.devices)
            devicesAt = reading.now
        }
        // Who was there when the store went down will be there when it is back.
        if reading.isStoreDown { devicesAt = reading.now }
    }
}
