import CollectorIngest
import Testing

@Suite struct GroupFailuresTests {
    @Test func `groups fail and succeed each by itself`() {
        var failures = GroupFailures()
        let (one, other, third) = (failures.begin(), failures.begin(), failures.begin())
        #expect(failures.first == nil)
        let news = [failures.failed(other, "b"), failures.failed(one, "a"), failures.failed(one, "c")]
        #expect(news == [true, false, false] && failures.first == "c")
        let ends = [failures.succeeded(third), failures.succeeded(one)]
        #expect(ends == [false, false] && failures.first == "b")
        let isLast = failures.succeeded(other)
        #expect(isLast && failures.first == nil)
        let isNews = failures.failed(third, "d")
        #expect(isNews)
    }
}
