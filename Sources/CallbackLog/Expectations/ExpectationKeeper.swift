// What looks after announced requests: those whose time is up become overdue records; after a start it finds out which are
// open; it keeps that in a file for the next start.
//
//     woken by: a start, a change, a sealed segment, a timer
//     start ─▶ file, or nothing ─▶ records above it, or all announcements, looked at again ─▶ whole
//     records that were lost and are there again ─▶ looked at again
//     due, or doubtful ─▶ read the request_id ─▶ writer decides ─▶ overdue record │ not needed: put right │ else again in a second
//
// Promises: off the data path; the clock only says when to look, and a clock that is set ahead is noticed within
// `lookMilliseconds`. What the writer decides is final, so that a callback that comes at the same moment wins or loses
// cleanly. Must not know: batches, payloads.

import Dispatch
import Platform

/// State of the expectations' queue; touched by nothing else.
final class ExpectationKeeper {
    /// The longest time for which it does not look at the clock.
    static let lookMilliseconds = 60_000
    /// After a refusal, or while index files are made.
    static let retryMilliseconds = 1_000
    /// Requests that are looked at, or handed over as overdue, in one visit to the writer's queue: a few milliseconds.
    static let lookedAtMax = 256

    private let shared: Shared
    private let directory: any Directory
    private let identity: Identity
    private let hash: KeyedHash
    private let time: LogTime
    private let keepsFile: Bool
    private let observe: @Sendable (LogNotice) -> Void
    /// Runs a closure on the writer's queue, and waits for it.
    private let withWriter: @Sendable (() -> Void) -> Void
    private let append: @Sendable ([Submission]) -> Bool
    private let later: @Sendable (Int, @escaping @Sendable (ExpectationKeeper) -> Void) -> Void

    /// When it will look again, in monotonic milliseconds; nil while nothing makes it.
    private var lookDueMilliseconds: Int64?
    /// The next record to be looked at after a start, and the last one; nil where there is none.
    private var replay: (next: UInt64, last: UInt64, isAll: Bool)?
    private var isWhole = false
    /// The first sequence of the open segment when the file was written last.
    private var keptSegment: UInt64 = 0

    init(
        shared: Shared, directory: any Directory, identity: Identity, hash: KeyedHash, time: LogTime, keepsFile: Bool,
        observe: @escaping @Sendable (LogNotice) -> Void, withWriter: @escaping @Sendable (() -> Void) -> Void,
        append: @escaping @Sendable ([Submission]) -> Bool,
        later: @escaping @Sendable (Int, @escaping @Sendable (ExpectationKeeper) -> Void) -> Void
    ) {
        self.shared = shared
        self.directory = directory
        self.identity = identity
        self.hash = hash
        self.time = time
        self.keepsFile = keepsFile
        self.observe = observe
        self.withWriter = withWriter
        self.append = append
        self.later = later
    }

    /// Before the first record is taken: what the file says is known at once.
    func begin() {
        let (durable, first) = shared.published.withLock { ($0.durable, $0.firstSequence) }
        var next = first
        if keepsFile, let content = try? ExpectationFile.read(from: directory, logID: identity.logID, durable: durable) {
            shared.published.withLock { published in
                for entry in content.entries { published.expectations.put(entry) }
            }
            next = max(first, content.through + 1)
        }
        replay = (next, durable, next == first)
        if next > durable { becomeWhole() }
    }

    /// Does what there is to do.
    func run() {
        guard !shared.isClosing.load(ordering: .relaxed) else { return }
        guard follow(), lookAtRegained() else { return look(after: Self.retryMilliseconds) }
        keep()
        guard recordDue() else { return look(after: Self.retryMilliseconds) }
        guard let due = shared.published.withLock({ $0.expectations.earliestDue }) else { return }
        look(after: Int(min(max(0, due - time.wallMilliseconds()), Int64(Self.lookMilliseconds))))
    }

    private func look(after milliseconds: Int) {
        let now = time.monotonicMilliseconds()
        let due = now + Int64(milliseconds)
        if let lookDueMilliseconds, lookDueMilliseconds <= due, lookDueMilliseconds > now { return }
        lookDueMilliseconds = due
        later(milliseconds) {
            // One that was due earlier has taken its place.
            guard $0.lookDueMilliseconds == due else { return }
            $0.lookDueMilliseconds = nil
            $0.run()
        }
    }

    // MARK: overdue

    /// Records what is overdue now, and puts right what is doubtful. False where that could not be done of all.
    private func recordDue() -> Bool {
        var reader = RecordReader()
        while true {
            var due: [UInt64] = []
            let now = time.wallMilliseconds()
            shared.published.withLock { $0.expectations.appendDue(at: now, to: &due) }
            guard !due.isEmpty else { return true }
            var isSettled = true
            for start in stride(from: 0, to: due.count, by: Self.lookedAtMax) {
                var found: [(announcement: UInt64, requestID: [UInt8])] = []
                for announcement in due[start..<min(start + Self.lookedAtMax, due.count)] {
                    switch find(announcement, using: &reader) {
                    case .requestID(let requestID): found.append((announcement, requestID))
                    // Nothing can be said of it any more.
                    case .gone: shared.published.withLock { $0.expectations.remove(announcement) }
                    // The others need not wait for it.
                    case .notNow: isSettled = false
                    }
                }
                guard append(found.map { Submission(overdue: $0.requestID) }) else { return false }
                withWriter { for each in found { isSettled = settle(each.announcement, of: each.requestID, at: now, using: &reader) && isSettled } }
            }
            guard isSettled else { return false }
        }
    }

    /// True where the announcement is no longer due, or never will be answered by a record: the writer has found that a
    /// callback or a newer announcement came before, or that the request is full. False where the writer's clock is
    /// behind, or where that cannot be told now.
    private func settle(_ announcement: UInt64, of requestID: [UInt8], at now: Int64, using reader: inout RecordReader) -> Bool {
        func isDue() -> Bool { shared.published.withLock { $0.expectations.isDue(announcement, at: now) } }
        guard isDue() else { return true }
        let known = putRight(requestID, using: &reader)
        guard known.isWhole, isDue() else { return known.isWhole }
        guard known.history.expectation?.announcement != announcement || known.history.count >= CallbackLog.recordsPerRequestMax else { return false }
        shared.published.withLock { $0.expectations.remove(announcement) }
        return true
    }

    /// Puts what is expected of a request as its records say. On the writer's queue, so that nothing changes meanwhile.
    private func putRight(_ requestID: [UInt8], using reader: inout RecordReader) -> KnownHistory {
        let known = shared.history(of: requestID.span, hash.hash(requestID.span), using: &reader)
        shared.published.withLock { published in
            for announcement in known.history.announcements { published.expectations.remove(announcement.sequence) }
            for record in known.unread.records { published.expectations.doubt(record) }
            guard let expectation = known.history.expectation else { return }
            published.expectations.apply(.opened(expectation, replacing: nil))
            if !known.isWhole { published.expectations.doubt(expectation.announcement) }
        }
        return known
    }

    private enum Found {
        case requestID([UInt8])
        /// Removed by retention, or damaged.
        case gone
        /// Its segment cannot be asked or read at the moment.
        case notNow
    }

    private func find(_ announcement: UInt64, using reader: inout RecordReader) -> Found {
        do throws(RecordReadFailure) {
            guard let location = try shared.record(atOrAfter: announcement, using: &reader.pages), location.sequence == announcement else {
                return .gone
            }
            let line = try reader.read(location.entry, in: location.segment)
            var requestID: [UInt8] = []
            line.appendRequestID(of: reader.bytes.span, to: &requestID)
            return .requestID(requestID)
        } catch {
            shared.suspect(error)
            if case .damaged = error { return .gone }
            return .notNow
        }
    }

    // MARK: a start

    /// Looks again at the records that the file does not know. False where a segment cannot be asked yet.
    private func follow() -> Bool {
        guard var replay else { return true }
        var reader = RecordReader()
        while replay.next <= replay.last {
            guard !shared.isClosing.load(ordering: .relaxed) else { return false }
            if replay.isAll, let successor = shared.successorWithoutAnnouncements(of: replay.next) {
                replay.next = successor
                continue
            }
            var isKnown = true
            withWriter {
                for _ in 0..<Self.lookedAtMax where replay.next <= replay.last && isKnown { isKnown = lookAgain(&replay.next, isAll: replay.isAll, using: &reader) }
            }
            self.replay = replay
            guard isKnown else { return false }
        }
        becomeWhole()
        return true
    }

    /// Looks at records that were lost for a time: what they await or answer was forgotten meanwhile.
    private func lookAtRegained() -> Bool {
        while let regained = shared.published.withLock({ $0.expectations.takeRegained() }) {
            replay = (regained.lowerBound, regained.upperBound - 1, false)
            guard follow() else { return false }
        }
        return true
    }

    private func becomeWhole() {
        isWhole = true
        replay = nil
        shared.published.withLock { $0.expectations.isWhole = true }
    }

    /// Puts the expectation of the request whose record is at `next`, or behind it, as it is. On the writer's queue, so
    /// that nothing changes meanwhile. Callbacks matter only where announcements are known that they may answer.
    private func lookAgain(_ next: inout UInt64, isAll: Bool, using reader: inout RecordReader) -> Bool {
        let asked = next
        do throws(RecordReadFailure) {
            guard let location = try shared.record(atOrAfter: next, using: &reader.pages) else {
                next = .max
                return true
            }
            next = location.sequence + 1
            guard location.kind == .announcement || location.kind == .overdue || location.kind == .callback && !isAll else { return true }
            let line: ParsedLine
            do throws(RecordReadFailure) {
                line = try reader.read(location.entry, in: location.segment)
            } catch {
                switch error {
                // It says nothing any more.
                case .damaged:
                    shared.suspect(error)
                    return true
                // It must not hold up all others.
                case .system(let failure) where failure.code == SystemError.inputOutput:
                    doubt(unreadable: location)
                    return true
                // For want of descriptors or memory: it is asked again.
                case .system, .indexing: throw error
                }
            }
            var requestID: [UInt8] = []
            line.appendRequestID(of: reader.bytes.span, to: &requestID)
            let candidates = shared.candidates(of: hash.hash(requestID.span), using: &reader.pages)
            guard candidates.isWhole else { throw .indexing }
            guard candidates.records.contains(where: { $0.kind == .announcement }) else { return true }
            guard putRight(requestID, using: &reader).unread.segments == nil else { throw .indexing }
            return true
        } catch {
            next = asked
            return false
        }
    }

    /// What a record that cannot be read says of the announcements is not known yet.
    private func doubt(unreadable location: RecordLocation) {
        shared.published.withLock { published in
            switch location.kind {
            case .announcement: published.expectations.put(Expectations.Entry(announcement: location.sequence, due: Expectations.doubtful))
            // It may answer any of them.
            case .callback: published.expectations.doubt(in: 0..<location.sequence)
            // Those that it makes overdue fall due.
            case .overdue, .checkpoint, .unknown: break
            }
        }
    }

    // MARK: the file

    /// Writes the file after each seal.
    private func keep() {
        let segment = shared.published.withLock { $0.open.first }
        guard segment != keptSegment else { return }
        write()
        keptSegment = segment
    }

    private func write() {
        guard keepsFile, isWhole else { return }
        do throws(SystemError) {
            try shared.expectationFile.withLock { _ throws(SystemError) in
                let (content, mayMiss) = shared.published.withLock {
                    (ExpectationFile.Content(through: $0.durable, entries: $0.expectations.entries), $0.expectations.mayMiss)
                }
                // The next start reads all that can be read by then.
                if mayMiss { return try ExpectationFile.remove(from: directory) }
                // A log in which nobody announces has no such file.
                if content.entries.isEmpty, try !directory.names().contains(ExpectationFile.name) { return }
                try ExpectationFile.write(content, logID: identity.logID, to: directory)
            }
        } catch {
            observe(.expectationsFailed("\(error)"))
        }
    }

    /// The log is closed: what is open is kept for the next start.
    func close() { write() }
}

extension Shared {
    /// Where the next segment begins, if that which has this sequence is known to hold no announcement.
    fileprivate func successorWithoutAnnouncements(of sequence: UInt64) -> UInt64? {
        guard let segment = published.withLock({ $0.sealed.first(endingAbove: sequence) }), case .onDisk(let index) = segment.index else { return nil }
        return index.summary.counts.kinds[RecordCounts.slot(RecordKind.announcement.rawValue)] == 0 ? segment.successor : nil
    }
}
