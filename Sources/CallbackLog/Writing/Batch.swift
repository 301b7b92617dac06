// A batch that is being made: what goes to the disk with one fdatasync, and what will be said of it.
//
// Promises: knows the batch's own records by request, so that a duplicate within it is found before anything
// is durable; gives their lines in one piece and puts them into the index in order. Storage is reused.
// Must not know: files, what is durable already, when it is written.

struct Batch {
    /// A record that the batch adds.
    private struct Fresh {
        let submission: Int
        let sequence: UInt64
        let requestHash: UInt64
        let payloadHash: UInt64
        let offset: Int
        let length: Int
        /// The record before it in this batch with the same hash, of this request or (rarely) another.
        let previous: Int?
        /// Records of this request in this batch, up to this one.
        let count: Int
    }

    /// What the batch already has of a submission's request.
    struct Held {
        /// Records of the request.
        let count: Int
        /// The record with the same payload.
        let duplicate: UInt64?
    }

    /// Of what came in, in order.
    private(set) var outcomes: [AppendOutcome] = []
    /// What is to be written.
    private(set) var lines: [UInt8] = []
    private var submissions: ArraySlice<Submission> = []
    private var fresh: [Fresh] = []
    private var newestByHash: [UInt64: Int] = [:]

    /// How many records it adds.
    var count: Int { fresh.count }

    /// Begins a batch of `submissions`; none for a checkpoint.
    mutating func begin(_ submissions: ArraySlice<Submission> = []) {
        self.submissions = submissions
        outcomes.removeAll(keepingCapacity: true)
        lines.removeAll(keepingCapacity: true)
        fresh.removeAll(keepingCapacity: true)
        newestByHash.removeAll(keepingCapacity: true)
    }

    /// The next submission is not a record of its own.
    mutating func answer(_ outcome: AppendOutcome) { outcomes.append(outcome) }

    func held(_ submission: Submission, requestHash: UInt64, payloadHash: UInt64) -> Held {
        var count = 0
        var next = newestByHash[requestHash]
        while let index = next {
            next = fresh[index].previous
            guard count == 0 || fresh[index].payloadHash == payloadHash else { continue }
            let other = submissions[fresh[index].submission]
            guard isSameRequest(other, submission) else { continue }
            if count == 0 { count = fresh[index].count }
            if fresh[index].payloadHash == payloadHash, other.kind == submission.kind, other.record[other.payload] == submission.record[submission.payload] {
                return Held(count: count, duplicate: fresh[index].sequence)
            }
        }
        return Held(count: count, duplicate: nil)
    }

    /// Adds `submissions[position]` as the record after `durable` and those already here. `heldCount` records of its
    /// request are here before it.
    mutating func add(_ position: Int, requestHash: UInt64, payloadHash: UInt64, heldCount: Int, receivedAt: Timestamp, durable: UInt64) {
        let submission = submissions[position]
        let sequence = durable + 1 + UInt64(fresh.count)
        let offset = lines.count
        let requestID = submission.record.span.extracting(submission.requestID)
        let payload = submission.record.span.extracting(submission.payload)
        if submission.kind == .callback {
            RecordFormat.appendCallback(
                sequence: sequence, receivedAt: receivedAt, requestID: requestID, status: submission.status, payload: payload,
                durable: durable, to: &lines)
        } else {
            RecordFormat.appendAnnouncement(
                sequence: sequence, receivedAt: receivedAt, requestID: requestID, members: payload, durable: durable, to: &lines)
        }
        fresh.append(
            Fresh(
                submission: position, sequence: sequence, requestHash: requestHash, payloadHash: payloadHash, offset: offset,
                length: lines.count - offset - 1, previous: newestByHash[requestHash], count: heldCount + 1))
        newestByHash[requestHash] = fresh.count - 1
        outcomes.append(.stored(sequence: sequence, duplicate: false))
    }

    mutating func addCheckpoint(receivedAt: Timestamp, durable: UInt64) {
        RecordFormat.appendCheckpoint(receivedAt: receivedAt, durable: durable, to: &lines)
    }

    /// Everything above `sequence` is refused: records of this batch, and their duplicates with them.
    mutating func refuse(above sequence: UInt64, because block: LogBlock) {
        for index in outcomes.indices {
            if case .stored(let stored, _) = outcomes[index], stored > sequence { outcomes[index] = .blocked(block) }
        }
    }

    /// Puts the records into the index of the segment where the lines were written at `base`.
    func place(in index: inout SegmentIndex, at base: Int64) {
        for record in fresh {
            index.append(
                RecordEntry(
                    sequence: record.sequence, requestHash: record.requestHash, payloadHash: record.payloadHash,
                    offset: UInt32(base + Int64(record.offset)), length: UInt32(record.length), kind: submissions[record.submission].kind))
        }
    }

    private func isSameRequest(_ a: Submission, _ b: Submission) -> Bool { a.record[a.requestID] == b.record[b.requestID] }
}
