import CacheStores
import RedisStores
import Testing

@Suite struct CacheBreakerTests {
    @Test func `failures in a row open it, others do not`() {
        var breaker = CacheBreaker()
        for _ in 0..<10 {
            breaker.failed(at: 0)
            breaker.failed(at: 0)
            breaker.succeeded()
        }
        #expect(breaker.state == .closed && breaker.opened == 0)
        for _ in 0..<CacheBreaker.failuresMax { breaker.failed(at: 0) }
        #expect(breaker.state == .open && breaker.opened == 1)
        // Answers that were still under way.
        breaker.succeeded()
        breaker.failed(at: 1)
        #expect(breaker.state == .open && breaker.opened == 1)
    }

    @Test func `one alone tries it when its time is over, later each time that it was in vain`() {
        var breaker = CacheBreaker()
        for _ in 0..<CacheBreaker.failuresMax { breaker.failed(at: 0) }
        var now: Int64 = 0
        for wait: Int64 in [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
            #expect(breaker.beginProbe(at: now + wait - 1) == false)
            now += wait
            let (first, second) = (breaker.beginProbe(at: now), breaker.beginProbe(at: now))
            #expect(first && !second && breaker.state == .halfOpen)
            breaker.endProbe(isWell: false, at: now)
            #expect(breaker.state == .open)
        }
        let isTried = breaker.beginProbe(at: now + 30_000)
        #expect(isTried)
        breaker.endProbe(isWell: true, at: now + 30_000)
        #expect(breaker.isClosed && breaker.opened == 1)
        // Forgiven: it takes as many failures as at first, and the first time is short again.
        for _ in 0..<CacheBreaker.failuresMax { breaker.failed(at: 100_000) }
        let isTriedAgain = breaker.beginProbe(at: 101_000)
        #expect(isTriedAgain && breaker.opened == 2)
    }
}

@Suite struct LostWritesTests {
    private let a = CacheKey.deviceStatus("a")
    private let b = CacheKey.deviceStatus("b")
    private let session = CacheKey(.session, "s")

    @Test func `every copy is suspect until the server was looked at`() {
        var lost = LostWrites()
        #expect(lost.isSuspect(a) && !lost.isSuspect(session) && !lost.isEmpty)
        lost.removed(lost.snapshot)
        #expect(!lost.isSuspect(a) && lost.isEmpty)
    }

    @Test func `what is lost while others are made good stays suspect`() {
        var lost = LostWrites()
        lost.removed(lost.snapshot)
        lost.lost([a, session])
        let snapshot = lost.snapshot
        #expect(!snapshot.isAll && Set(snapshot.keys) == [a, session])
        lost.lost([a, b])
        lost.removed(snapshot)
        #expect(lost.isSuspect(a) && lost.isSuspect(b) && !lost.isSuspect(session))
        let later = lost.snapshot
        lost.lostAll()
        lost.removed(later)
        #expect(lost.isSuspect(a) && !lost.isEmpty)
        lost.removed(lost.snapshot)
        #expect(lost.isEmpty)
    }

    @Test func `beyond the bound every copy is suspect, and sessions are still known by name`() {
        var lost = LostWrites()
        lost.removed(lost.snapshot)
        lost.lost([session])
        for number in 0...LostWrites.keysMax { lost.lost([CacheKey.deviceStatus(String(number))]) }
        #expect(lost.isSuspect(a) && lost.isSuspect(session) && !lost.isSuspect(CacheKey(.session, "t")))
        #expect(lost.count < LostWrites.keysMax)
    }
}
