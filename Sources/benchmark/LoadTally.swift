// What a load of our own client came to: answers by kind, their times, and which sequence each callback was given.
//
// Promises: counts every answer, also those that come after the measured time; the rate and the times are those of the
// measured time alone. Must not know: how the load was made.

struct LoadTally {
    /// How long was measured, without the time before and after.
    let seconds: Double

    /// 2xx, in the measured time and altogether.
    private(set) var succeededInTime = 0
    private(set) var succeeded = 0
    /// 503, likewise.
    private(set) var refusedInTime = 0
    private(set) var refused = 0
    /// Any other status.
    private(set) var failed = 0
    /// Streams that the server reset: not answered, and nothing stored.
    private(set) var reset = 0
    /// Requests due in the measured time that could not be sent: every connection waits for the server.
    private(set) var heldBack = 0
    /// Requests due in the measured time.
    private(set) var dueInTime = 0
    /// Connections that ended, and requests on them that nobody answered.
    private(set) var connectionsLost = 0
    private(set) var unanswered = 0

    /// By the number of the callback: its sequence, 0 where it was not acknowledged.
    private(set) var sequences: [UInt64] = []
    private var microseconds: [UInt32] = []

    init(seconds: Double) { self.seconds = seconds }

    /// 2xx a second.
    var goodput: Double { Double(succeededInTime) / seconds }
    var answered: Int { succeeded + refused + failed + reset }

    /// A request that is due; the number it is to have.
    mutating func take(isInTime: Bool) -> UInt64 {
        if isInTime { dueInTime += 1 }
        sequences.append(0)
        return UInt64(sequences.count - 1)
    }

    mutating func holdBack(_ count: Int, isInTime: Bool) {
        guard isInTime else { return }
        dueInTime += count
        heldBack += count
    }

    mutating func add(_ answer: LoadAnswer, number: UInt64, nanoseconds: Int64, isInTime: Bool) {
        switch answer.status {
        case 200...299:
            succeeded += 1
            sequences[Int(number)] = answer.sequence
            guard isInTime else { return }
            succeededInTime += 1
            microseconds.append(UInt32(clamping: nanoseconds / 1_000))
        case 503:
            refused += 1
            if isInTime { refusedInTime += 1 }
        case 0: reset += 1
        default: failed += 1
        }
    }

    mutating func lose(inFlight: Int) {
        connectionsLost += 1
        unanswered += inFlight
    }

    mutating func leave(inFlight: Int) { unanswered += inFlight }

    /// Times from a request being sent to its 2xx: the ones that this share of all does not exceed.
    func percentiles(_ shares: [Double]) -> [Double] { benchmark.percentiles(shares, of: microseconds) }
}

/// The values that these shares (0 to 1) of all do not exceed. Not numbers where there are none.
func percentiles(_ shares: [Double], of values: [UInt32]) -> [Double] {
    guard !values.isEmpty else { return shares.map { _ in .nan } }
    let sorted = values.sorted()
    return shares.map { Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * $0))]) }
}
