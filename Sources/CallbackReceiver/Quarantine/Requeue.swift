// What is in the quarantine taken in again, once the cause of its refusal is mended.
//
//     entry ─▶ decoded as a callback is ─┬─ still refused, or one too many ──▶ stays
//                                        └─ appended ─┬─ durable, or a duplicate ─▶ taken out of the quarantine
//                                                     └─ not now ───────────────▶ stays
//
// Promises: an entry leaves the quarantine only once its record is durable (invariant 1). Begun again it does no harm:
// what was taken in is a duplicate. Must not know: who asks for it.

import CallbackLog
import CrispCallback
import Dispatch
import Synchronization

/// Takes entries in again, for one log. Its calls wait for the log: not on a loop's queue, nor on the log's.
public final class Requeue: Sendable {
    /// What became of the entries.
    public struct Summary: Sendable, Equatable {
        /// Records that are new.
        public var taken = 0
        /// There already.
        public var duplicates = 0
        /// Still no callback, or one too many of its request.
        public var left = 0
        /// The log did not take them now, or they could not be read or taken out.
        public var failed = 0

        /// So many taken, and none else.
        public init(taken: Int = 0) { self.taken = taken }

        /// True where the record is durable.
        mutating func count(_ outcome: AppendOutcome?) -> Bool {
            switch outcome {
            case .stored(_, duplicate: false): taken += 1
            case .stored(_, duplicate: true): duplicates += 1
            case .tooManyRecords:
                left += 1
                return false
            default:
                failed += 1
                return false
            }
            return true
        }

        /// Both together.
        public static func + (a: Summary, b: Summary) -> Summary {
            var sum = a
            sum.taken += b.taken
            sum.duplicates += b.duplicates
            sum.left += b.left
            sum.failed += b.failed
            return sum
        }
    }

    /// Entries that are handed to the log at once.
    static let togetherMax = 256
    /// The log answers within this, or what it was handed counts as failed, and so does the rest, which it is not handed.
    static let answerSeconds = 30

    private struct State {
        var next: UInt64 = 0
        var outcomes: [UInt64: AppendOutcome] = [:]
    }

    private let log: CallbackLog
    private let quarantine: Quarantine
    private let answerSeconds: Int
    private let recipient: Int
    private let answers: Answers
    /// One run at a time: they would take each other's answers.
    private let order = DispatchQueue(label: "quarantine.requeue")

    private final class Answers: Sendable {
        let state = Mutex(State())
        let arrived = DispatchSemaphore(value: 0)
        func receive(_ acknowledgements: [Acknowledgement]) {
            state.withLock { for each in acknowledgements { $0.outcomes[each.ticket] = each.outcome } }
            for _ in acknowledgements { arrived.signal() }
        }
    }

    /// From `quarantine` into `log`, waiting for the disk as long as a callback would.
    public convenience init(log: CallbackLog, quarantine: Quarantine) {
        self.init(log: log, quarantine: quarantine, answerSeconds: Self.answerSeconds)
    }

    init(log: CallbackLog, quarantine: Quarantine, answerSeconds: Int) {
        self.log = log
        self.answerSeconds = answerSeconds
        self.quarantine = quarantine
        let answers = Answers()
        self.answers = answers
        recipient = log.addRecipient { answers.receive($0) }
    }

    /// What would be taken in; nothing is changed. Nil where the quarantine cannot be read.
    public static func preview(of quarantine: Quarantine, includesUnauthorized: Bool) -> Summary? {
        guard let names = names(in: quarantine, includesUnauthorized) else { return nil }
        var summary = Summary()
        for name in names {
            guard let body = quarantine.body(of: name) else {
                summary.failed += 1
                continue
            }
            if decoded(body) == nil { summary.left += 1 } else { summary.taken += 1 }
        }
        return summary
    }

    /// Takes in what was refused, and with `includesUnauthorized` what nobody proved the origin of. `progress` hears how
    /// many of how many are done. Nil where the quarantine cannot be read.
    public func run(includesUnauthorized: Bool, progress: (Int, Int) -> Void = { _, _ in }) -> Summary? {
        order.sync { runInOrder(includesUnauthorized, progress) }
    }

    /// Takes callbacks in that a crash tore off the log. Those that are there already are duplicates.
    public func take(_ torn: [TornCallback]) -> Summary {
        order.sync {
            var summary = Summary()
            for start in stride(from: 0, to: torn.count, by: Self.togetherMax) {
                let part = torn[start..<min(start + Self.togetherMax, torn.count)]
                let (outcomes, isAnswered) = append(part.map { ($0.record, $0.requestID, $0.payload, $0.status) })
                for outcome in outcomes { _ = summary.count(outcome) }
                guard isAnswered else {
                    summary.failed += torn.count - part.endIndex
                    break
                }
            }
            return summary
        }
    }

    /// Oldest first.
    private static func names(in quarantine: Quarantine, _ includesUnauthorized: Bool) -> [String]? {
        var names: [String] = []
        for ring in includesUnauthorized ? QuarantineRing.allCases : [.refused] {
            guard let found = quarantine.names(of: ring) else { return nil }
            names += found
        }
        return names.sorted()
    }

    /// Nil where it still is no callback, or was cut: then the rest is missing, whatever it looks like.
    private static func decoded(_ body: (bytes: [UInt8], isCut: Bool)) -> (record: [UInt8], decoded: DecodedCallback)? {
        var record: [UInt8] = []
        guard !body.isCut, let decoded = try? CallbackDecoder.decode(body.bytes.span, into: &record) else { return nil }
        return (record, decoded)
    }

    private func runInOrder(_ includesUnauthorized: Bool, _ progress: (Int, Int) -> Void) -> Summary? {
        guard let names = Self.names(in: quarantine, includesUnauthorized) else { return nil }
        var summary = Summary()
        for start in stride(from: 0, to: names.count, by: Self.togetherMax) {
            let end = min(start + Self.togetherMax, names.count)
            guard take(names[start..<end], &summary) else {
                summary.failed += names.count - end
                progress(names.count, names.count)
                break
            }
            progress(end, names.count)
        }
        return summary
    }

    /// False where the log does not answer.
    private func take(_ names: ArraySlice<String>, _ summary: inout Summary) -> Bool {
        var prepared: [(name: String, record: [UInt8], decoded: DecodedCallback)] = []
        for name in names {
            guard let body = quarantine.body(of: name) else {
                summary.failed += 1
                continue
            }
            if let (record, decoded) = Self.decoded(body) { prepared.append((name, record, decoded)) } else { summary.left += 1 }
        }
        let (outcomes, isAnswered) = append(prepared.map { ($0.record, $0.decoded.requestID, $0.decoded.payload, RecordedStatus($0.decoded.status)) })
        var done: [String] = []
        for (each, outcome) in zip(prepared, outcomes) {
            if summary.count(outcome) { done.append(each.name) }
        }
        if !done.isEmpty, !quarantine.remove(done) { summary.failed += done.count }
        return isAnswered
    }

    /// Appends callbacks, and waits for what becomes of each; nil where nobody says. And whether all were answered that the
    /// log has taken.
    private func append(
        _ callbacks: [(record: [UInt8], requestID: Range<Int>, payload: Range<Int>, status: RecordedStatus)]
    ) -> (outcomes: [AppendOutcome?], isAnswered: Bool) {
        var tickets: [UInt64?] = []
        // Late answers, that nobody waits for any more.
        answers.state.withLock { $0.outcomes = [:] }
        for callback in callbacks {
            let ticket = answers.state.withLock { state in
                state.next += 1
                return state.next
            }
            let isTaken = log.append(
                Submission(
                    record: callback.record, requestID: callback.requestID, payload: callback.payload, status: callback.status,
                    recipient: recipient, ticket: ticket))
            tickets.append(isTaken ? ticket : nil)
        }
        let deadline = DispatchTime.now() + .seconds(answerSeconds)
        // By its outcome, not by counting: an answer to an earlier run may come late.
        for case let ticket? in tickets {
            while answers.state.withLock({ $0.outcomes[ticket] == nil }), answers.arrived.wait(timeout: deadline) == .success {}
        }
        let outcomes = tickets.map { ticket in ticket.flatMap { ticket in answers.state.withLock { $0.outcomes.removeValue(forKey: ticket) } } }
        return (outcomes, zip(tickets, outcomes).allSatisfy { $0 == nil || $1 != nil })
    }
}
