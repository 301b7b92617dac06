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
        /// The chain it continues in the open segment, by its newest durable entry.
        let head: Int?
        /// The record before it in this batch with the same hash, of this request or (rarely) another.
        let previous: Int?
        /// Records of this request with this one.
        let count: Int
    }

    /// What the batch already has of a submission's request.
    struct Held {
        /// Records of the request, the durable ones included.
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

    /// Nil where no record of this batch is of the request of `submission`.
    func held(_ submission: Submission, requestHash: UInt64, payloadHash: UInt64) -> Held? {
        var count: Int?
        var next = newestByHash[requestHash]
        while let index = next {
            let other = submissions[fresh[index].submission]
            if isSameRequest(other, submission) {
                count = count ?? fresh[index].count
                if fresh[index].payloadHash == payloadHash, other.record[other.payload] == submission.record[submission.payload] {
                    return Held(count: count ?? 0, duplicate: fresh[index].sequence)
                }
            }
            next = fresh[index].previous
        }
        return count.map { Held(count: $0, duplicate: nil) }
    }

    /// Adds `submissions[position]` as the record after `durable` and those already here. `head` is the newest
    /// entry of its request in the open segment's index, `count` the records of its request before it.
    mutating func add(
        _ position: Int, requestHash: UInt64, payloadHash: UInt64, head: Int?, count: Int, receivedAt: Timestamp, durable: UInt64
    ) {
        let submission = submissions[position]
        let sequence = durable + 1 + UInt64(fresh.count)
        let offset = lines.count
        RecordFormat.appendCallback(
            sequence: sequence, receivedAt: receivedAt, requestID: submission.record.span.extracting(submission.requestID),
            status: submission.status, payload: submission.record.span.extracting(submission.payload), durable: durable, to: &lines)
        fresh.append(
            Fresh(
                submission: position, sequence: sequence, requestHash: requestHash, payloadHash: payloadHash, offset: offset,
                length: lines.count - offset - 1, head: head, previous: newestByHash[requestHash], count: count + 1))
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
        var placed: [Int] = []
        placed.reserveCapacity(fresh.count)
        for record in fresh {
            let entry = RecordEntry(
                sequence: record.sequence, requestHash: record.requestHash, payloadHash: record.payloadHash,
                offset: UInt32(base + Int64(record.offset)), length: UInt32(record.length), kind: .callback)
            // A chain of the segment before does not go on in a fresh one.
            let durableHead = base == 0 ? nil : record.head
            index.append(entry, after: previous(of: record).map { placed[$0] } ?? durableHead)
            placed.append(index.entries.count - 1)
        }
    }

    /// The newest record before `record` that is of the same request.
    private func previous(of record: Fresh) -> Int? {
        var next = record.previous
        while let index = next {
            if isSameRequest(submissions[fresh[index].submission], submissions[record.submission]) { return index }
            next = fresh[index].previous
        }
        return nil
    }

    private func isSameRequest(_ a: Submission, _ b: Submission) -> Bool { a.record[a.requestID] == b.record[b.requestID] }
}
