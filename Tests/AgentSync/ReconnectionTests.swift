import MQTTDriver
import Testing

struct ReconnectionTests {

    @Test func `delays grow under full jitter while attempts fail`() {
        var reconnection = Reconnection()
        // 0…bound, bound doubling from 1 s to 60 s: a random number of 'bound' gives just that.
        let bounds: [Int64] = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]
        #expect(bounds.map { reconnection.ended(.lost, now: 0, random: UInt64($0)) } == bounds)
        #expect(reconnection.ended(.lost, now: 0, random: 0) == 0)
    }

    @Test func `a connection that ends at once does not make the next attempts eager`() {
        var reconnection = Reconnection()
        for _ in 0..<5 {
            reconnection.connected(now: 0)
            _ = reconnection.ended(.lost, now: 100, random: 0)
        }
        #expect(reconnection.ended(.lost, now: 200, random: 32_000) == 32_000)
        reconnection.connected(now: 300)
        #expect(reconnection.ended(.lost, now: 300 + Reconnection.stableAfter, random: 1_000) == 1_000)
        #expect(reconnection.ended(.lost, now: 40_000, random: 1_001 + 1_000) == 0, "2 s is the bound again")
    }

    @Test func `two clients of one name stay away for longer and longer, and are told apart from a bad link`() {
        var reconnection = Reconnection()
        var bounds: [Int64] = []
        for bound in [15_000, 30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000] as [Int64] {
            reconnection.connected(now: 0)
            bounds.append(reconnection.ended(.takenOver, now: 1_000_000, random: UInt64(bound)))
        }
        #expect(bounds == [15_000, 30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000])
        #expect(reconnection.takeovers == 8)
        reconnection.connected(now: 0)
        _ = reconnection.ended(.lost, now: Reconnection.undisturbedAfter, random: 0)
        #expect(reconnection.takeovers == 0)
    }

    @Test func `connections that are closed at once, one after the other, are taken for another client of that name`() {
        var reconnection = Reconnection()
        var delays: [Int64] = []
        for lasted in [500, 9_999, 3_000, 200_000, 700_000, 1_000_000] as [Int64] {
            reconnection.connected(now: 0)
            delays.append(reconnection.ended(.closed, now: lasted, random: UInt64(Int64.max)))
        }
        let bounds: [UInt64] = [1_000, 2_000, 15_000, 30_000, 60_000, 120_000]
        #expect(delays == bounds.map { Int64(UInt64(Int64.max) % ($0 + 1)) })
        #expect(reconnection.likelyTakeovers == 6)
        reconnection.connected(now: 0)
        _ = reconnection.ended(.closed, now: Reconnection.undisturbedAfter, random: 0)
        #expect(reconnection.likelyTakeovers == 0)
    }

    @Test(arguments: [(.lost, 500), (.closed, nil), (.closed, 10_000), (.takenOver, 500)] as [(Reconnection.Ending, Int64?)])
    func `a bad link or a broker that starts anew is not taken for another client`(ending: Reconnection.Ending, lasted: Int64?) {
        var reconnection = Reconnection()
        for _ in 0..<10 {
            for _ in 0..<2 {
                reconnection.connected(now: 0)
                _ = reconnection.ended(.closed, now: 500, random: 0)
            }
            if lasted != nil { reconnection.connected(now: 0) }
            _ = reconnection.ended(ending, now: lasted ?? 0, random: 0)
            #expect(reconnection.likelyTakeovers == 0)
        }
    }
}
