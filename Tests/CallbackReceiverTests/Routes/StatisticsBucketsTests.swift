// The stretches that statistics count in.

import Testing

@testable import CallbackLog
@testable import CallbackReceiver

@Suite("Buckets of statistics")
struct StatisticsBucketsTests {
    private func time(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text)) }

    @Test("cut where intervals begin, the ends as they were asked for")
    func cut() throws {
        let buckets = try #require(StatisticsBuckets(since: time("2026-05-20T18:20:25Z"), until: time("2026-05-20T20:00:00Z"), .hour))
        #expect(try buckets.edges == [time("2026-05-20T18:20:25Z"), time("2026-05-20T19:00:00Z"), time("2026-05-20T20:00:00Z")])
        #expect(try buckets.start(0) == time("2026-05-20T18:00:00Z") && buckets.start(1) == time("2026-05-20T19:00:00Z"))
        let one = try #require(StatisticsBuckets(since: time("2026-05-20T18:00:00Z"), until: time("2026-05-20T18:00:00.001Z"), .day))
        #expect(try one.edges.count == 2 && one.start(0) == time("2026-05-20T00:00:00Z"))
        let old = try #require(StatisticsBuckets(since: time("1969-12-31T23:59:59.5Z"), until: time("1970-01-01T00:00:01Z"), .minute))
        #expect(try old.edges.count == 3 && old.start(0) == time("1969-12-31T23:59:00Z"))
    }

    @Test("nothing of nothing, and no more than there may be")
    func bounds() throws {
        let start = try time("2026-05-20T00:00:00Z")
        #expect(StatisticsBuckets(since: start, until: start, .hour)?.edges == [])
        #expect(StatisticsBuckets(since: start, until: Timestamp(milliseconds: 0), .hour)?.edges == [])
        let most = Timestamp(milliseconds: start.milliseconds + Int64(StatisticsBuckets.countMax) * 60_000)
        #expect(StatisticsBuckets(since: start, until: most, .minute)?.edges.count == StatisticsBuckets.countMax + 1)
        #expect(StatisticsBuckets(since: start, until: Timestamp(milliseconds: most.milliseconds + 1), .minute) == nil)
    }
}
