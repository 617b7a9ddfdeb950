import ServiceSupport
import Testing

@Suite struct PoolStateTests {
    private static func limits(_ change: (inout PoolLimits) -> Void = { _ in }) -> PoolLimits {
        var limits = PoolLimits()
        limits.connectionsMin = 0
        limits.connectionsMax = 2
        change(&limits)
        return limits
    }

    @Test func `the least number of connections is made at the start, and again when some are lost`() {
        var pool = PoolState(Self.limits { $0.connectionsMin = 2 })
        #expect(pool.tick(at: 0) == [.connect(1), .connect(2)])
        #expect(pool.tick(at: 1) == [])
        #expect(pool.connected(1, at: 2) == [])
        #expect(pool.connected(2, at: 2) == [])
        #expect(pool.acquire(1, at: 3) == [.grant(1, 2)])
        #expect(pool.release(2, isUsable: false, at: 4) == [.close(2), .connect(3)])
        #expect(pool.counts == PoolCounts(active: 0, idle: 1, busy: 1, waiting: 0, opened: 2, failed: 0))
    }

    @Test func `who waits longest gets the connection that comes free first`() {
        var pool = PoolState(Self.limits())
        #expect(pool.acquire(1, at: 0) == [.connect(1)])
        #expect(pool.acquire(2, at: 0) == [.connect(2)])
        #expect(pool.acquire(3, at: 0) == [])
        #expect(pool.acquire(4, at: 0) == [])
        #expect(pool.connected(2, at: 1) == [.grant(1, 2)])
        #expect(pool.connected(1, at: 1) == [.grant(2, 1)])
        pool.abandon(3)
        #expect(pool.release(1, isUsable: true, at: 2) == [.grant(4, 1)])
        #expect(pool.release(1, isUsable: true, at: 3) == [])
        #expect(pool.release(1, isUsable: true, at: 3) == [], "given back twice")
        #expect(pool.counts.idle == 1)
    }

    @Test func `waiting ends with its time, and has a bound`() {
        var pool = PoolState(
            Self.limits {
                $0.waitersMax = 2; $0.acquireTimeout = 100
            })
        #expect(pool.acquire(1, at: 0) == [.connect(1)])
        #expect(pool.acquire(2, at: 50) == [.connect(2)])
        #expect(pool.acquire(3, at: 50) == [.refuse(3, .full)])
        #expect(pool.tick(at: 99) == [])
        #expect(pool.tick(at: 100) == [.refuse(1, .timedOut)])
        #expect(pool.connected(1, at: 101) == [.grant(2, 1)])
    }

    @Test func `when no connection can be made, waiting is refused at once, and one alone tries again`() {
        var pool = PoolState(Self.limits { $0.connectionsMin = 2 })
        #expect(pool.tick(at: 0) == [.connect(1), .connect(2)])
        #expect(pool.acquire(1, at: 0) == [])
        // 100 ms is the first bound; the random part of it here is 50.
        #expect(pool.connectFailed(1, at: 10, random: 50) == [.refuse(1, .unavailable)])
        #expect(pool.connectFailed(2, at: 10, random: 99) == [])
        #expect(pool.acquire(2, at: 20) == [.refuse(2, .unavailable)])
        #expect(pool.tick(at: 60) == [])
        #expect(pool.tick(at: 61) == [.connect(3)])
        #expect(pool.tick(at: 62) == [])
        #expect(pool.acquire(3, at: 63) == [])
        #expect(pool.connected(3, at: 70) == [.grant(3, 3), .connect(4)])
        #expect(pool.counts.failed == 2)
    }

    @Test func `as long as others are in use, a failure to connect refuses nobody`() {
        var pool = PoolState(Self.limits())
        #expect(pool.acquire(1, at: 0) == [.connect(1)])
        #expect(pool.connected(1, at: 0) == [.grant(1, 1)])
        #expect(pool.acquire(2, at: 1) == [.connect(2)])
        #expect(pool.connectFailed(2, at: 2, random: 0) == [])
        #expect(pool.release(1, isUsable: true, at: 3) == [.grant(2, 1)])
    }

    @Test func `what is idle for long goes, down to the least number`() {
        var pool = PoolState(
            Self.limits {
                $0.connectionsMin = 1; $0.idleTimeout = 1_000; $0.checkInterval = 1_000_000
            })
        _ = pool.tick(at: 0)
        _ = pool.connected(1, at: 0)
        #expect(pool.acquire(1, at: 0) == [.grant(1, 1)])
        #expect(pool.acquire(2, at: 0) == [.connect(2)])
        #expect(pool.connected(2, at: 0) == [.grant(2, 2)])
        _ = pool.release(1, isUsable: true, at: 10)
        _ = pool.release(2, isUsable: true, at: 20)
        #expect(pool.tick(at: 1_009) == [])
        #expect(pool.tick(at: 1_010) == [.close(1)])
        #expect(pool.tick(at: 9_000) == [])
        #expect(pool.counts.idle == 1)
    }

    @Test func `what is idle is asked for a sign of life, and replaced when it gives none`() {
        var pool = PoolState(
            Self.limits {
                $0.connectionsMin = 1; $0.checkInterval = 100
            })
        _ = pool.tick(at: 0)
        _ = pool.connected(1, at: 0)
        #expect(pool.tick(at: 99) == [])
        #expect(pool.tick(at: 100) == [.check(1)])
        #expect(pool.acquire(1, at: 101) == [], "the one that is checked is as good as there")
        #expect(pool.checked(1, isUsable: true, at: 102) == [.grant(1, 1)])
        _ = pool.release(1, isUsable: true, at: 103)
        #expect(pool.tick(at: 203) == [.check(1)])
        #expect(pool.checked(1, isUsable: false, at: 204) == [.close(1), .connect(2)])
    }

    @Test func `connections have a lifetime, and end when nobody has them`() {
        var pool = PoolState(
            Self.limits {
                $0.lifetimeMax = 1_000; $0.checkInterval = 1_000_000
            })
        _ = pool.acquire(1, at: 0)
        _ = pool.connected(1, at: 0)
        #expect(pool.tick(at: 2_000) == [])
        #expect(pool.release(1, isUsable: true, at: 2_001) == [.close(1)])
        _ = pool.acquire(2, at: 3_000)
        _ = pool.connected(2, at: 3_000)
        _ = pool.release(2, isUsable: true, at: 3_001)
        #expect(pool.tick(at: 3_900) == [])
        #expect(pool.tick(at: 4_000) == [.close(2)])
    }

    @Test func `closing ends what is idle, refuses who waits, and ends the rest when it comes back`() {
        var pool = PoolState(Self.limits { $0.connectionsMax = 3 })
        for id in 1...2 {
            _ = pool.acquire(UInt64(id), at: 0)
            _ = pool.connected(id, at: 0)
        }
        _ = pool.release(2, isUsable: true, at: 1)
        #expect(pool.close() == [.close(2)])
        #expect(pool.acquire(9, at: 2) == [.refuse(9, .closed)])
        #expect(pool.release(1, isUsable: true, at: 3) == [.close(1)])
        #expect(pool.isEmpty)
    }

    @Test func `whatever happens, the bounds hold and every waiter gets one answer`() {
        var random = SplitMix(state: 42)
        for _ in 0..<200 {
            var pool = PoolState(
                Self.limits {
                    $0.connectionsMin = 1; $0.connectionsMax = 3; $0.waitersMax = 4; $0.acquireTimeout = 300
                })
            var now: Int64 = 0
            var waiter: UInt64 = 0
            var waiting: Set<UInt64> = []
            var active: Set<Int> = []
            var connecting: Set<Int> = []
            var checking: Set<Int> = []
            for _ in 0..<300 {
                now += Int64(random.next() % 80)
                var actions: [PoolState.Action] = []
                switch random.next() % 7 {
                case 0, 1:
                    waiter += 1
                    waiting.insert(waiter)
                    actions = pool.acquire(waiter, at: now)
                case 2: if let id = active.popFirst() { actions = pool.release(id, isUsable: random.next() % 4 != 0, at: now) }
                case 3: if let id = connecting.popFirst() { actions = pool.connected(id, at: now) }
                case 4: if let id = connecting.popFirst() { actions = pool.connectFailed(id, at: now, random: random.next()) }
                case 5: if let id = checking.popFirst() { actions = pool.checked(id, isUsable: random.next() % 2 == 0, at: now) }
                default: actions = pool.tick(at: now)
                }
                for action in actions {
                    switch action {
                    case .connect(let id): #expect(connecting.insert(id).inserted)
                    case .check(let id): #expect(checking.insert(id).inserted)
                    case .close(let id): #expect(!active.contains(id))
                    case .grant(let waiter, let id):
                        #expect(waiting.remove(waiter) != nil)
                        #expect(active.insert(id).inserted)
                    case .refuse(let waiter, _): #expect(waiting.remove(waiter) != nil)
                    }
                }
                let counts = pool.counts
                #expect(counts.active == active.count && counts.waiting == waiting.count && counts.waiting <= 4)
                #expect(counts.active + counts.idle + counts.busy <= 3)
                #expect(counts.waiting == 0 || counts.idle == 0)
            }
        }
    }
}

/// A generator with a seed (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
