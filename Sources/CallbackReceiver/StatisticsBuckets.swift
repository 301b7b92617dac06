// The buckets of GET /v1/statistics: a stretch of time cut where minutes, hours or days of UTC begin.
//
// Promises: without a gap, in order; the first and the last are cut off where the stretch begins and ends. At most
// `countMax`. Must not know: what is counted.

import CallbackLog

struct StatisticsBuckets: Equatable {
    /// More than can be looked at: a week of minutes, a year of hours.
    static let countMax = 10_000

    /// Where each begins, and where the last one ends.
    let edges: [Timestamp]
    private let lengthMilliseconds: Int64

    /// Nil where there are more than `countMax`.
    init?(since: Timestamp, until: Timestamp, _ interval: StatisticsInterval) {
        let length = interval.milliseconds
        lengthMilliseconds = length
        guard since < until else {
            edges = []
            return
        }
        let first = Self.floor(since, length)
        let count = (until.milliseconds - first.milliseconds - 1) / length + 1
        guard count <= Self.countMax else { return nil }
        edges = [since] + (1..<max(1, count)).map { Timestamp(milliseconds: first.milliseconds + $0 * length) } + [until]
    }

    /// What the bucket at `index` is called by: where its whole interval begins.
    func start(_ index: Int) -> Timestamp { Self.floor(edges[index], lengthMilliseconds) }

    private static func floor(_ time: Timestamp, _ length: Int64) -> Timestamp {
        let rest = time.milliseconds % length
        return Timestamp(milliseconds: time.milliseconds - (rest < 0 ? rest + length : rest))
    }
}

extension StatisticsInterval {
    var milliseconds: Int64 {
        switch self {
        case .minute: 60_000
        case .hour: 3_600_000
        case .day: 86_400_000
        }
    }
}
