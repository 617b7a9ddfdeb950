import CollectorAPI
import ServiceSupport
import Testing

struct FailurePaceTests {
    @Test func `a failure that many requests meet is told once a minute, with how many were not`() {
        var pace = FailurePace()
        #expect(pace.failed(.unavailable, at: 0) == 0)
        for number in 1...500 { #expect(pace.failed(.unavailable, at: Int64(number)) == nil) }
        #expect(pace.failed(.unavailable, at: FailurePace.interval) == 500)
        #expect(pace.failed(.unavailable, at: FailurePace.interval + 1) == nil)
        #expect(pace.failed(.unavailable, at: 3 * FailurePace.interval) == 1)
    }

    @Test func `failures of another kind are told beside`() {
        var pace = FailurePace()
        #expect(pace.failed(.unavailable, at: 0) == 0)
        #expect(pace.failed(.damaged, at: 1) == 0)
        #expect(pace.failed(.damaged, at: 2) == nil)
        #expect(pace.failed(.unavailable, at: 3) == nil)
    }
}
