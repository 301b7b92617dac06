// What a loop counts.
//
// Promises: its loop alone counts, without lock and allocation: some loads and stores, and two looks at the clock, for a request
// that takes ten microseconds. Any thread reads. Every number there can be is there from the start.
// Must not know: bytes, what an answer says.

import Platform

/// Written by its loop only.
final class LoopMeters: Sendable {
    /// Of a request, in nanoseconds: what a disk and a proxy take, and the bounds of `Exchanges.commitSeconds`.
    static let latencyBounds = HistogramBounds([250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 500_000, 1_000_000, 5_000_000].map { $0 * 1_000 })
    /// Statuses that there are; others count as the last.
    static let statuses: [UInt16] = [200, 201, 400, 401, 403, 404, 405, 408, 413, 414, 422, 429, 431, 501, 503, 505, 500]

    private static let latencyCells = latencyBounds.cellCount

    private let latencies = Counters<442>()
    private let answers = Counters<17>()
    private let refusals = Counters<8>()
    private let shed = Counters<5>()
    /// By `MeteredProtocol`; and how many were ever opened.
    private let connections = Counters<4>()
    private static let opened = 3

    init() {
        precondition(MeteredRoute.allCases.count * MeteredProtocol.decided.count * Self.latencyCells == 442)
        precondition(Self.statuses.count == 17 && CallbackRefusal.allCases.count == 8 && Shed.allCases.count == 5)
    }

    // MARK: counting

    /// A request was answered by its route, so many nanoseconds after it was whole.
    func countAnswer(_ measure: Measure, status: UInt16, nanoseconds: Int64) {
        latencies.observe(UInt64(max(0, nanoseconds)), Self.latencyBounds, at: Self.latencyStart(measure.route, measure.version))
        countStatus(measure, status)
    }

    /// The same for one that was refused before it was whole, or before a route saw it.
    func countStatus(_ measure: Measure, _ status: UInt16) {
        answers.add(at: Self.statuses.firstIndex(of: status) ?? Self.statuses.count - 1)
        if status >= 400, measure.route == .callback {
            refusals.add(at: Int(CallbackRefusal(status: status, isShed: measure.isShed).rawValue))
        }
    }

    func count(_ what: Shed) { shed.add(at: Int(what.rawValue)) }

    func countOpened() {
        connections.add(at: Self.opened)
        connections.add(at: Int(MeteredProtocol.undecided.rawValue))
    }

    func countDecided(_ version: MeteredProtocol) {
        connections.subtract(at: Int(MeteredProtocol.undecided.rawValue))
        connections.add(at: Int(version.rawValue))
    }

    func countClosed(_ version: MeteredProtocol) { connections.subtract(at: Int(version.rawValue)) }

    private static func latencyStart(_ route: MeteredRoute, _ version: MeteredProtocol) -> Int {
        (Int(route.rawValue) * MeteredProtocol.decided.count + (version == .http2 ? 1 : 0)) * latencyCells
    }

    // MARK: reading, from any thread

    func add(_ route: MeteredRoute, _ version: MeteredProtocol, to reading: inout HistogramReading) {
        reading.add(latencies, at: Self.latencyStart(route, version))
    }

    /// By place in `statuses`.
    func answers(_ place: Int) -> UInt64 { answers[place] }
    func refusals(_ reason: CallbackRefusal) -> UInt64 { refusals[Int(reason.rawValue)] }
    func shed(_ what: Shed) -> UInt64 { shed[Int(what.rawValue)] }
    func connections(_ version: MeteredProtocol) -> UInt64 { connections[Int(version.rawValue)] }
    var openedConnections: UInt64 { connections[Self.opened] }
}
