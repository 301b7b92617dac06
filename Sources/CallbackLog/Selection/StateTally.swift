// How many requests have which state, in buckets of the time of their newest records: for statistics.
//
// Promises: counts are those as of a position, of requests and not of records: what is superseded does not count. No
// record is read but the first of a bucket and what an announcement leaves open: times never decrease, so a bucket is a
// range of sequences. Each `next` does a bounded piece of work. While it is not known what is superseded, it says so.
// Must not know: what the numbers of callbacks' statuses and classes mean.

import Platform

/// By status and by failure class; requests that an announcement makes pending have status 4, overdue ones 5.
public struct StateCounts: Sendable, Equatable {
    /// Requests, by the number of their status, or of their failure class.
    public private(set) var statuses = [Int](repeating: 0, count: RecordCounts.slots)
    /// The same by the number of their failure class.
    public private(set) var failureClasses = [Int](repeating: 0, count: RecordCounts.slots)

    /// None.
    public init() {}

    mutating func add(_ state: RecordState) {
        statuses[Int(state.status)] += 1
        failureClasses[Int(state.failureClass)] += 1
    }

    /// Of all statuses.
    public var requestCount: Int { statuses.reduce(0, +) }
}

/// A count that is made piece by piece.
public struct StateTally: Sendable {
    /// The requests whose newest record falls into one interval.
    public struct Bucket: Sendable, Equatable {
        /// A multiple of the interval since 1970.
        public let start: Timestamp
        /// Of these requests.
        public fileprivate(set) var counts = StateCounts()
    }

    /// The position whose view it is.
    public let position: UInt64
    private let since, until: Timestamp?
    private let intervalMilliseconds: Int64
    private let bucketsMax: Int
    private var walk: StateWalk
    private var view: NewestView
    private var isBounded = false
    /// The last record of the newest bucket.
    private var bucketEnd: UInt64 = 0
    private var run = StateRun()

    /// Those with requests in them, oldest first.
    public private(set) var buckets: [Bucket] = []
    /// Nothing is left to count.
    public private(set) var isFinished = false
    /// There would be more than `bucketsMax`; nothing more is counted.
    public private(set) var hasTooManyBuckets = false

    /// Of newest records received from `since` on and before `until`, as of `position`.
    public init(asOf position: UInt64, since: Timestamp? = nil, until: Timestamp? = nil, intervalMilliseconds: Int64, bucketsMax: Int) {
        precondition(intervalMilliseconds > 0)
        self.position = position
        self.since = since
        self.until = until
        self.intervalMilliseconds = intervalMilliseconds
        self.bucketsMax = bucketsMax
        walk = StateWalk(0...position, isNewestFirst: false)
        view = NewestView(asOf: position)
    }

    /// Counts on, while about `workMax` records are looked at.
    public mutating func next(_ log: CallbackLog, workMax: Int, using reader: inout RecordReader) throws(RecordReadFailure) {
        let shared = log.shared
        guard shared.published.withLock({ $0.supersessions.isWhole }) else { throw .indexing }
        if !isBounded {
            try walk.limit(since: since, until: until, in: shared, using: &reader)
            isBounded = true
        }
        var work = workMax
        while work > 0, !isFinished {
            if walk.low > bucketEnd || buckets.isEmpty {
                work -= SelectionScan.candidateWork
                guard try beginBucket(shared, using: &reader) else {
                    isFinished = true
                    break
                }
            }
            try count(log, &work, using: &reader)
        }
        if isFinished { buckets.removeAll { $0.counts.requestCount == 0 } }
    }

    /// The bucket of the next record there is; false where there is none, or no room for it.
    private mutating func beginBucket(_ shared: Shared, using reader: inout RecordReader) throws(RecordReadFailure) -> Bool {
        while !walk.isFinished, let location = try shared.record(atOrAfter: walk.low, using: &reader.pages), location.sequence <= walk.high {
            guard let line = try? reader.read(location.entry, in: location.segment) else {
                // Damaged: in whichever bucket it was, it is in none now.
                walk.pass(location.sequence)
                continue
            }
            let moment = line.receivedAt.milliseconds
            let start = moment - (moment % intervalMilliseconds + intervalMilliseconds) % intervalMilliseconds
            let end = try shared.firstSequence(
                receivedAtOrAfter: Timestamp(milliseconds: start + intervalMilliseconds), from: location.sequence, using: &reader)
            // At the end of time a bucket has no end.
            bucketEnd = max(end, location.sequence + 1) - 1
            if buckets.last?.start.milliseconds == start { return true }
            if buckets.last?.counts.requestCount == 0 { buckets.removeLast() }
            guard buckets.count < bucketsMax else {
                hasTooManyBuckets = true
                return false
            }
            buckets.append(Bucket(start: Timestamp(milliseconds: start)))
            return true
        }
        return false
    }

    /// Counts what comes next of the newest bucket.
    private mutating func count(_ log: CallbackLog, _ work: inout Int, using reader: inout RecordReader) throws(RecordReadFailure) {
        let shared = log.shared
        var bucket = walk
        bucket.limit(from: 0, through: bucketEnd)
        guard try bucket.next(&run, in: shared, using: &reader.pages, isOfUse: { _ in true }) else {
            walk.pass(bucketEnd)
            return
        }
        work -= run.states.count
        var counts = buckets[buckets.count - 1].counts
        do throws(IndexFault) {
            for place in 0..<run.states.count {
                let state = RecordState(byte: run.states[place])
                guard state.status != RecordState.unserved else { continue }
                let sequence = try run.sequence(place, in: shared, using: &reader.pages)
                guard view.isNewest(sequence, in: shared) else { continue }
                guard state.status == RecordState.announcement else {
                    counts.add(state)
                    continue
                }
                work -= SelectionScan.candidateWork
                if let location = try run.location(place, in: shared, using: &reader.pages) {
                    counts.add(answered(location, log, using: &reader))
                }
                guard work <= 0 else { continue }
                buckets[buckets.count - 1].counts = counts
                return walk.pass(sequence)
            }
        } catch {
            // Counted again from where it began.
            if let segment = run.segment { try shared.stumble(over: segment) }
            return
        }
        buckets[buckets.count - 1].counts = counts
        walk.pass(run)
    }

    /// The state of a request whose newest record is this announcement: a callback that came first has the say, and what is
    /// overdue and announced again without more time is so still.
    private func answered(_ announcement: RecordLocation, _ log: CallbackLog, using reader: inout RecordReader) -> RecordState {
        if case .open(let state) = log.shared.standing(ofAnnouncement: announcement.sequence) { return state }
        guard let line = try? reader.read(announcement.entry, in: announcement.segment) else { return announcement.entry.state }
        var identifier: [UInt8] = []
        line.appendRequestID(of: reader.bytes.span, to: &identifier)
        let records = (try? log.records(of: identifier.span, using: &reader)) ?? []
        if let callback = records.first(where: { $0.kind == .callback && $0.sequence <= position }) { return callback.entry.state }
        var history = RequestHistory()
        for record in records.reversed() where record.sequence <= position {
            guard let line = try? reader.read(record.entry, in: record.segment) else { continue }
            history.add(record.kind, sequence: record.sequence, receivedAt: line.receivedAt, members: reader.bytes.span.extracting(line.payload))
        }
        return history.isOverdue ? RecordState(.overdue) : announcement.entry.state
    }
}
