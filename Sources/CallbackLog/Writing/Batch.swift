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
        /// The request's newest record before it.
        let predecessor: UInt64?
        let change: ExpectationChange?
        let state: RecordState
        /// Where the hashes of its keys end in `keyHashes`; those of the record before it end where they begin.
        let keysEnd: Int
    }

    /// What the batch already has of a submission's request.
    struct Held {
        /// Records of the request.
        var count = 0
        /// The record with the same payload.
        var duplicate: UInt64?
        /// The newest record.
        var newest: UInt64?
        /// The newest callback or announcement.
        var decisive: (kind: RecordKind, sequence: UInt64)?
    }

    /// Of what came in, in order.
    private(set) var outcomes: [AppendOutcome] = []
    /// What is to be written.
    private(set) var lines: [UInt8] = []
    private var submissions: ArraySlice<Submission> = []
    private var fresh: [Fresh] = []
    private var newestByHash: [UInt64: Int] = [:]
    private var keyHashes: [UInt64] = []
    private var description: RecordDescription
    private let describe: @Sendable (RecordKind, Span<UInt8>, inout RecordDescription) -> Void

    init(hash: KeyedHash, describe: @escaping @Sendable (RecordKind, Span<UInt8>, inout RecordDescription) -> Void) {
        description = RecordDescription(hash: hash)
        self.describe = describe
    }

    /// How many records it adds.
    var count: Int { fresh.count }

    /// Begins a batch of `submissions`; none for a checkpoint.
    mutating func begin(_ submissions: ArraySlice<Submission> = []) {
        self.submissions = submissions
        outcomes.removeAll(keepingCapacity: true)
        lines.removeAll(keepingCapacity: true)
        fresh.removeAll(keepingCapacity: true)
        newestByHash.removeAll(keepingCapacity: true)
        keyHashes.removeAll(keepingCapacity: true)
        unread = Unread()
    }

    /// The next submission is not a record of its own.
    mutating func answer(_ outcome: AppendOutcome) { outcomes.append(outcome) }

    func held(_ submission: Submission, requestHash: UInt64, payloadHash: UInt64) -> Held {
        var held = Held()
        var next = newestByHash[requestHash]
        while let index = next {
            let record = fresh[index]
            next = record.previous
            guard held.decisive == nil || record.payloadHash == payloadHash else { continue }
            let other = submissions[record.submission]
            guard isSameRequest(other, submission) else { continue }
            if held.newest == nil { (held.count, held.newest) = (record.count, record.sequence) }
            if held.decisive == nil, other.kind == .callback || other.kind == .announcement { held.decisive = (other.kind, record.sequence) }
            if record.payloadHash == payloadHash, other.kind == .callback, submission.kind == .callback,
                other.record[other.payload] == submission.record[submission.payload]
            {
                held.duplicate = record.sequence
                return held
            }
        }
        return held
    }

    /// Adds the batch's records of the submission's request to its history.
    func add(_ submission: Submission, requestHash: UInt64, receivedAt: Timestamp, to history: inout RequestHistory) {
        var chain: [Int] = []
        var next = newestByHash[requestHash]
        while let index = next {
            if isSameRequest(submissions[fresh[index].submission], submission) { chain.append(index) }
            next = fresh[index].previous
        }
        for index in chain.reversed() {
            let other = submissions[fresh[index].submission]
            history.add(
                other.kind, sequence: fresh[index].sequence, receivedAt: receivedAt, members: other.record.span.extracting(other.payload))
        }
    }

    /// What could not be looked at while it was made: there may be predecessors of its records, and what they answer.
    var unread = Unread()

    /// What is known of a record before it is added.
    struct Addition {
        let requestHash: UInt64
        let payloadHash: UInt64
        /// Records of its request that are in the batch before it.
        let heldCount: Int
        /// The request's newest record before it.
        let predecessor: UInt64?
        let receivedAt: Timestamp
        let durable: UInt64
    }

    /// The sequence of the record that is added next.
    func nextSequence(above durable: UInt64) -> UInt64 { durable + 1 + UInt64(fresh.count) }

    /// Adds `submissions[position]` as the record after the durable ones and those already here.
    mutating func add(_ position: Int, _ addition: Addition, change: ExpectationChange?, outcome: (UInt64) -> AppendOutcome) {
        let submission = submissions[position]
        let sequence = nextSequence(above: addition.durable)
        let offset = lines.count
        let requestID = submission.record.span.extracting(submission.requestID)
        let payload = submission.record.span.extracting(submission.payload)
        if submission.kind == .callback {
            RecordFormat.appendCallback(
                sequence: sequence, receivedAt: addition.receivedAt, requestID: requestID, status: submission.status, payload: payload,
                durable: addition.durable, to: &lines)
        } else {
            RecordFormat.append(
                submission.kind, sequence: sequence, receivedAt: addition.receivedAt, requestID: requestID, members: payload,
                durable: addition.durable, to: &lines)
        }
        let state = description.take(submission.kind, payload, from: describe)
        keyHashes += description.hashes
        fresh.append(
            Fresh(
                submission: position, sequence: sequence, requestHash: addition.requestHash, payloadHash: addition.payloadHash, offset: offset,
                length: lines.count - offset - 1, previous: newestByHash[addition.requestHash], count: addition.heldCount + 1,
                predecessor: addition.predecessor, change: change, state: state, keysEnd: keyHashes.count))
        newestByHash[addition.requestHash] = fresh.count - 1
        outcomes.append(outcome(sequence))
    }

    mutating func addCheckpoint(receivedAt: Timestamp, durable: UInt64) {
        RecordFormat.appendCheckpoint(receivedAt: receivedAt, durable: durable, to: &lines)
    }

    /// Everything above `sequence` is refused: records of this batch, and their duplicates with them.
    mutating func refuse(above sequence: UInt64, because block: LogBlock) {
        for index in outcomes.indices {
            if let stored = outcomes[index].sequence, stored > sequence { outcomes[index] = .blocked(block) }
        }
    }

    /// Puts the records into the index of the open segment, where the lines were written at `base`, and tells what they
    /// replace and change.
    func place(in published: inout Published, at base: Int64) {
        var keysStart = 0
        for record in fresh {
            published.open.index.append(
                RecordEntry(
                    sequence: record.sequence, requestHash: record.requestHash, payloadHash: record.payloadHash,
                    offset: UInt32(base + Int64(record.offset)), length: UInt32(record.length), kind: submissions[record.submission].kind,
                    state: record.state),
                keys: keyHashes.span.extracting(keysStart..<record.keysEnd))
            keysStart = record.keysEnd
            if let predecessor = record.predecessor { published.supersessions.note(predecessor, by: record.sequence) }
            if let change = record.change { published.expectations.apply(change) }
        }
        for record in unread.records { published.expectations.doubt(record) }
        guard let segments = unread.segments else { return }
        published.supersessions.loseTrack()
        published.expectations.doubt(in: segments)
    }

    /// Counts its records, which are durable.
    func count(in meters: LogMeters, receivedAt: Timestamp) {
        var hasCallback = false
        for record in fresh {
            let kind = submissions[record.submission].kind
            meters.count(kind, record.state)
            hasCallback = hasCallback || kind == .callback
        }
        meters.countBatch(records: fresh.count, hasCallback: hasCallback, receivedAt: receivedAt)
    }

    /// Of its records, in order.
    var requestHashes: [UInt64] { fresh.map(\.requestHash) }

    /// Whether it changes what is expected, or may do so.
    var changesExpectations: Bool { !unread.isEmpty || fresh.contains { $0.change != nil } }

    private func isSameRequest(_ a: Submission, _ b: Submission) -> Bool { a.record[a.requestID] == b.record[b.requestID] }
}
