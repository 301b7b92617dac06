// A log on a MemoryDisk with turned time: submit, settle, ask.
//
// Promises: `append` returns what was acknowledged; `appendTogether` makes one batch. Reads go through the
// log's public door only. Must not know: how the log stores anything.

import Dispatch
import Platform
import Synchronization

@testable import CallbackLog

/// A record as the door shows it.
struct SeenRecord: Equatable, CustomStringConvertible {
    let sequence: UInt64
    let payload: String
    var description: String { "\(sequence):\(payload.prefix(40))" }
}

final class OpenLog {
    let log: CallbackLog
    let disk: MemoryDisk
    let clock: TurnedClock
    private let recipient: Int
    private let answers = Answers()
    private var nextTicket: UInt64 = 0

    /// Without index files, upkeep and padding, unless `change` wants them: the calls are the writer's alone.
    init(
        _ disk: MemoryDisk, segmentBytesMax: Int64 = 1 << 20, hashMask: UInt64 = .max, clock: TurnedClock = TurnedClock(),
        change: (inout LogOptions) -> Void = { _ in }
    ) throws(LogOpenFailure) {
        var options = LogOptions()
        options.segmentBytesMax = segmentBytesMax
        options.hashMask = hashMask
        options.paddingBytes = 0
        options.hasUpkeep = false
        change(&options)
        self.disk = disk
        self.clock = clock
        let answers = answers
        log = try CallbackLog(directory: disk, options: options, time: clock.time) { event in answers.observe(event) }
        recipient = log.addRecipient { answers.receive($0) }
        settle()
        // What a start looks at is a call, too: from here on calls come in the same order each time.
        wait(for: log.expectations.queue)
    }

    var events: [LogNotice] { answers.state.withLock { $0.events } }

    /// Everything handed over so far has been through the writer.
    func settle() { wait(for: log.writer.queue) }

    /// A log that a fault has hit may hang: then the wait ends all the same.
    private func wait(for queue: DispatchQueue) {
        if disk.hitCount > 0 { expectToRun(on: queue) {} } else { queue.sync {} }
    }

    /// Upkeep has done what there is to do now, what it asked of the writer included.
    func settleUpkeep() {
        for _ in 0..<3 {
            settle()
            wait(for: log.upkeep.queue)
        }
    }

    /// The same, and whoever looks after announced requests has done so, too. Once known, a start that could not
    /// look everywhere yet does so when it looks again.
    func settleAll() {
        for _ in 0..<3 {
            settle()
            wait(for: log.upkeep.queue)
            wait(for: log.expectations.queue)
        }
    }

    /// A clean stop.
    func close() {
        settle()
        let log = log
        if disk.hitCount > 0 { expectToRun(on: .global()) { log.close() } } else { log.close() }
    }

    /// Hands over; the ticket, or nil when it was not taken.
    func submit(_ identifier: String, _ payload: String, status: RecordedStatus = .sent) -> UInt64? {
        nextTicket += 1
        let name = Array(identifier.utf8)
        let text = Array(payload.utf8)
        let submission = Submission(
            record: name + text, requestID: 0..<name.count, payload: name.count..<(name.count + text.count), status: status,
            recipient: recipient, ticket: nextTicket)
        return log.append(submission) ? nextTicket : nil
    }

    /// Hands an announcement over.
    func submitAnnouncement(_ identifier: String, _ members: String) -> UInt64? {
        nextTicket += 1
        let name = Array(identifier.utf8)
        let text = Array(members.utf8)
        let submission = Submission(
            announcement: name + text, requestID: 0..<name.count, members: name.count..<(name.count + text.count), recipient: recipient,
            ticket: nextTicket)
        return log.append(submission) ? nextTicket : nil
    }

    /// What was acknowledged to a ticket; nil while nothing was.
    func outcome(_ ticket: UInt64?) -> AppendOutcome? { ticket.flatMap { ticket in answers.state.withLock { $0.outcomes[ticket] } } }

    func append(_ identifier: String, _ payload: String = "{}") -> AppendOutcome? {
        let ticket = submit(identifier, payload)
        settle()
        return outcome(ticket)
    }

    /// All in one batch.
    func appendTogether(_ callbacks: [(String, String)]) -> [AppendOutcome?] {
        together { callbacks.map { submit($0.0, $0.1) } }
    }

    /// Whatever `hand` hands over, in one batch.
    func together(_ hand: () -> [UInt64?]) -> [AppendOutcome?] {
        log.writer.queue.suspend()
        let tickets = hand()
        log.writer.queue.resume()
        settle()
        return tickets.map(outcome)
    }

    /// The records of a request, newest first.
    func records(_ identifier: String) throws(RecordReadFailure) -> [SeenRecord] {
        var reader = RecordReader()
        var seen: [SeenRecord] = []
        for location in try log.records(of: Array(identifier.utf8).span, using: &reader) {
            let record = try log.read(location, using: &reader)
            seen.append(SeenRecord(sequence: record.sequence, payload: String(decoding: reader.bytes[record.payload], as: UTF8.self)))
        }
        return seen
    }

    /// What was said to the recipient and to the observer.
    final class Answers: Sendable {
        struct State {
            var outcomes: [UInt64: AppendOutcome] = [:]
            var events: [LogNotice] = []
        }
        let state = Mutex(State())
        func receive(_ acknowledgements: [Acknowledgement]) {
            state.withLock { for each in acknowledgements { $0.outcomes[each.ticket] = each.outcome } }
        }
        func observe(_ event: LogNotice) { state.withLock { $0.events.append(event) } }
    }
}

extension AppendOutcome {
    /// Stored as a new record.
    static func fresh(_ sequence: UInt64) -> AppendOutcome { .stored(sequence: sequence, duplicate: false) }
    static func duplicate(of sequence: UInt64) -> AppendOutcome { .stored(sequence: sequence, duplicate: true) }
    var isBlocked: Bool { if case .blocked = self { true } else { false } }
}

/// `00000000000000000042.jsonl`
func segmentName(_ first: Int, _ suffix: String = "") -> String {
    String(repeating: "0", count: 20 - String(first).count) + "\(first).jsonl\(suffix)"
}
