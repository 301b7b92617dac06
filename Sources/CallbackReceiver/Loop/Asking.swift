// What a loop asks on the query queues for its waits and streams: batch by batch, one under way for each lane.
//
//     add ──▶ in line ──takeBatch──▶ asked, off the loop ──batchEnded──▶ answered
//
// Promises: in the order in which it was added; a batch is bounded, and so is what its answers hold in memory (invariant 7).
// Whoever waits or streams stands in line once at most, which its owner sees to.
// Must not know: what is asked, who is answered.

/// Exports have a lane of their own: they look through much, and nobody who waits for a callback waits for them.
enum AskingLane: Sendable, CaseIterable {
    case following, exporting
}

/// What is asked for one wait or stream.
enum Ask: Sendable {
    case wait(ticket: UInt64, answer: @Sendable (inout QueryScratch) -> WaitAnswer)
    case pull(ticket: UInt64, source: any StreamSource)

    /// On a query queue.
    func answer(using scratch: inout QueryScratch) -> Asked {
        switch self {
        case .wait(let ticket, let answer):
            return .wait(ticket: ticket, answer(&scratch))
        case .pull(let ticket, var source):
            let piece = source.next(bytesMax: Loop.pieceBytesMax, using: &scratch)
            return .pull(ticket: ticket, source: source, piece)
        }
    }
}

/// The answer to it.
enum Asked: Sendable {
    case wait(ticket: UInt64, WaitAnswer)
    case pull(ticket: UInt64, source: any StreamSource, StreamPiece)
}

/// One lane of a loop.
struct AskingLine {
    /// Of a batch. With as many pieces of a stream, half a MiB.
    static let batchMax = 32

    /// Those who were asked may still stand in front: not more than those behind them.
    private(set) var tickets: [UInt64] = []
    private var first = 0
    private(set) var isUnderWay = false

    mutating func add(_ ticket: UInt64) { tickets.append(ticket) }

    /// Those who are next, in order; empty where nobody is, or a batch is under way. `batchEnded` lets go of it.
    mutating func takeBatch() -> ArraySlice<UInt64> {
        guard !isUnderWay, first < tickets.count else { return [] }
        let end = min(first + Self.batchMax, tickets.count)
        let batch = tickets[first..<end]
        first = end
        if first == tickets.count {
            tickets = []
            first = 0
        } else if first * 2 >= tickets.count {
            // Some always come before all are through: those who were asked do not pile up in front of them.
            tickets.removeFirst(first)
            first = 0
        }
        isUnderWay = true
        return batch
    }

    mutating func batchEnded() { isUnderWay = false }
}
