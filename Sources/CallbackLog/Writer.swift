// The writer: one serial queue that gives sequences, decides duplicates, writes, synchronizes, publishes.
//
//     take ─▶ decide ─▶ encode ─▶ write ─▶ fdatasync ─▶ publish ─▶ acknowledge
//                                   └─ failed ─▶ fresh segment, once ─┬▶ publish …
//                                                                     └▶ blocked: refuse; probe once a second
//
// While one fdatasync runs, submissions gather in the mailbox; the next batch takes them all. No timer.
// Promises: invariants 1 to 3 and 5. A failed write or fdatasync is never retried in place. A sequence counts
// as used once durable. A batch is decided, written and acknowledged as one; a duplicate shares the fate of
// the record it duplicates.
// Must not know: HTTP, connections, what a payload means.

import Dispatch
import Platform

/// State of the writer queue; touched by nothing else.
final class Writer {
    /// A batch is cut at this many bytes of lines (one record may pass it alone), so that one fdatasync stays short.
    static let batchBytesMax = 4 * 1_024 * 1_024
    /// A quiet time after which what is durable is also proven on disk (API.md §7), and the pace of probes.
    static let checkpointMilliseconds = 1_000
    static let probeMilliseconds = 1_000
    /// Free space is asked for at most this often, and after this many bytes.
    static let spaceCheckMilliseconds: Int64 = 1_000
    static let spaceCheckBytes: Int64 = 16 * 1_024 * 1_024
    /// Offsets in the index have 32 bits; a segment ends so far below that a whole batch still fits.
    static let segmentBytesCeiling: Int64 = 2 * 1_024 * 1_024 * 1_024

    private struct Open {
        let file: any File
        let first: UInt64
        var size: Int64
    }

    /// A record of the batch that is being made.
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

    private let directory: any Directory
    private let shared: Shared
    private let options: LogOptions
    private let time: LogTime
    private let observe: @Sendable (LogEvent) -> Void
    /// Runs a closure with this writer, on its queue, after so many milliseconds.
    private let later: @Sendable (Int, @escaping @Sendable (Writer) -> Void) -> Void

    private var open: Open?
    private var durable: UInt64
    /// The highest durable position that a line on disk proves.
    private var proven: UInt64
    private var latest: Timestamp
    private var block: LogBlock?
    private var isCheckpointDue = false
    private var isProbing = false
    private var isClosed = false
    private var lastRecordMilliseconds: Int64 = 0
    private var spaceCheckedMilliseconds = Int64.min / 2
    private var bytesSinceSpaceCheck: Int64 = 0

    // The batch; storage is reused.
    private var lines: [UInt8] = []
    private var fresh: [Fresh] = []
    private var freshByHash: [UInt64: Int] = [:]
    private var outcomes: [AppendOutcome] = []
    private var reader = RecordReader()

    init(
        _ recovery: Recovery, directory: any Directory, shared: Shared, options: LogOptions, time: LogTime,
        observe: @escaping @Sendable (LogEvent) -> Void,
        later: @escaping @Sendable (Int, @escaping @Sendable (Writer) -> Void) -> Void
    ) {
        self.directory = directory
        self.shared = shared
        self.options = options
        self.time = time
        self.observe = observe
        self.later = later
        open = recovery.segments.last.map { Open(file: $0.file, first: $0.first, size: recovery.end) }
        durable = recovery.next - 1
        proven = recovery.proven
        latest = recovery.latest
    }

    // MARK: batches

    /// Appends `submissions`, in batches, and returns what became of each, in order.
    func append(_ submissions: [Submission], acknowledge: (ArraySlice<Submission>, [AppendOutcome]) -> Void) {
        var start = 0
        while start < submissions.count {
            var end = start
            var bytes = 0
            while end < submissions.count, end == start || bytes + submissions[end].record.count <= Self.batchBytesMax {
                bytes += submissions[end].record.count + RecordFormat.overheadBytesMax
                end += 1
            }
            busy { commit(submissions[start..<end]) }
            acknowledge(submissions[start..<end], outcomes)
            start = end
        }
    }

    private func commit(_ batch: ArraySlice<Submission>) {
        outcomes.removeAll(keepingCapacity: true)
        lines.removeAll(keepingCapacity: true)
        fresh.removeAll(keepingCapacity: true)
        freshByHash.removeAll(keepingCapacity: true)
        checkSpace()
        if let block {
            outcomes.append(contentsOf: repeatElement(.blocked(block), count: batch.count))
            return
        }
        let receivedAt = max(latest, Timestamp(milliseconds: time.wallMilliseconds()))
        for position in batch.indices { outcomes.append(decide(position, of: batch, receivedAt: receivedAt)) }
        guard fresh.isEmpty ? stands() : store() else { return refuse() }
        guard !fresh.isEmpty else { return }
        latest = receivedAt
        publish(batch)
        proven = durable
        durable += UInt64(fresh.count)
        lastRecordMilliseconds = time.monotonicMilliseconds()
        scheduleCheckpoint(Self.checkpointMilliseconds)
    }

    /// What this batch made is refused, and its duplicates with it. What was durable before stays said, unless
    /// it went with the directory.
    private func refuse() {
        guard let block else { return }
        let lost: UInt64
        if case .directoryGone = block { lost = 0 } else { lost = durable }
        for index in outcomes.indices {
            if case .stored(let sequence, _) = outcomes[index], sequence > lost { outcomes[index] = .blocked(block) }
        }
    }

    /// The outcome that `batch[position]` has once the batch is durable; encodes its line when it is new.
    private func decide(_ position: Int, of batch: ArraySlice<Submission>, receivedAt: Timestamp) -> AppendOutcome {
        let submission = batch[position]
        let bytes = submission.record.span
        let identifier = bytes.extracting(submission.requestID)
        let payload = bytes.extracting(submission.payload)
        let requestHash = options.hash.hash(identifier)
        let payloadHash = options.hash.hash(payload)
        var head: Int?
        var isInBatch = false
        var count = 0

        var inBatch = freshByHash[requestHash]
        while let index = inBatch {
            let other = batch[fresh[index].submission]
            if matches(other.record, other.requestID, submission.record, submission.requestID) {
                if !isInBatch {
                    isInBatch = true
                    count = fresh[index].count
                }
                if fresh[index].payloadHash == payloadHash,
                    matches(other.record, other.payload, submission.record, submission.payload)
                {
                    return .stored(sequence: fresh[index].sequence, duplicate: true)
                }
            }
            inBatch = fresh[index].previous
        }
        for chain in shared.chains(of: requestHash) {
            do throws(RecordReadFailure) {
                guard try chain.names(identifier, using: &reader) else { continue }
                if chain.isInOpenSegment { head = chain.head }
                if !isInBatch { count += chain.entries.count }
                for entry in chain.entries where entry.payloadHash == payloadHash && entry.kind == .callback {
                    let line = try reader.read(entry, in: chain.segment)
                    if matches(reader.bytes, line.payload, submission.record, submission.payload) {
                        return .stored(sequence: entry.sequence, duplicate: true)
                    }
                }
            } catch {
                // What cannot be read cannot be shown to be the same: stored again rather than lost.
                observe(.unreadable(error))
            }
        }
        guard count < CallbackLog.recordsPerRequestMax else { return .tooManyRecords }

        let sequence = durable + 1 + UInt64(fresh.count)
        let offset = lines.count
        RecordFormat.appendCallback(
            sequence: sequence, receivedAt: receivedAt, requestID: identifier, status: submission.status, payload: payload,
            durable: durable, to: &lines)
        fresh.append(
            Fresh(
                submission: position, sequence: sequence, requestHash: requestHash, payloadHash: payloadHash, offset: offset,
                length: lines.count - offset - 1, head: head, previous: freshByHash[requestHash], count: count + 1))
        freshByHash[requestHash] = fresh.count - 1
        return .stored(sequence: sequence, duplicate: false)
    }

    private func matches(_ a: [UInt8], _ aRange: Range<Int>, _ b: [UInt8], _ bRange: Range<Int>) -> Bool {
        a[aRange] == b[bRange]
    }

    /// After fdatasync: the batch's records become visible, all at once.
    private func publish(_ batch: ArraySlice<Submission>) {
        guard let open else { return }
        let base = open.size - Int64(lines.count)
        let isFirst = base == 0
        shared.published.withLock { published in
            let last = published.segments.count - 1
            var placed: [Int] = []
            placed.reserveCapacity(fresh.count)
            for record in fresh {
                let entry = RecordEntry(
                    sequence: record.sequence, requestHash: record.requestHash, payloadHash: record.payloadHash,
                    offset: UInt32(base + Int64(record.offset)), length: UInt32(record.length), kind: .callback)
                // A chain of the segment before does not go on in a fresh one.
                var head = isFirst ? nil : record.head
                if let previous = sameRequest(record, in: batch) { head = placed[previous] }
                published.segments[last].index.append(entry, after: head)
                placed.append(published.segments[last].index.entries.count - 1)
            }
            published.durable = durable + UInt64(fresh.count)
        }
    }

    /// The newest record of this batch before `record` that is of the same request.
    private func sameRequest(_ record: Fresh, in batch: ArraySlice<Submission>) -> Int? {
        let mine = batch[record.submission]
        var previous = record.previous
        while let index = previous {
            let other = batch[fresh[index].submission]
            if matches(other.record, other.requestID, mine.record, mine.requestID) { return index }
            previous = fresh[index].previous
        }
        return nil
    }

    // MARK: the disk

    /// Puts `lines` on stable storage: in the open segment, or after a failure once more in a fresh one
    /// (invariant 3). False, and blocked, when that failed too.
    private func store() -> Bool {
        do throws(SystemError) {
            let isFull = open.map { $0.size > 0 && $0.size + Int64(lines.count) > min(options.segmentBytesMax, Self.segmentBytesCeiling) }
            if isFull ?? true { try beginSegment() } else { try writeToOpenSegment() }
            bytesSinceSpaceCheck += Int64(lines.count)
            return true
        } catch {
            observe(.writeFailed("\(error)"))
        }
        do throws(SystemError) {
            try beginSegment()
            return true
        } catch {
            block(because: .failed(error))
            return false
        }
    }

    private func writeToOpenSegment() throws(SystemError) {
        guard let file = open?.file, let size = open?.size else { return }
        try file.writeWhole(lines, at: size)
        try file.synchronizeData()
        try checkStanding(file)
        open?.size = size + Int64(lines.count)
    }

    /// Writes `lines` to a fresh segment named by the next sequence. It counts once the directory is synced.
    private func beginSegment() throws(SystemError) {
        let first = durable + 1
        let name = SegmentName.name(first: first)
        if open?.first == first {
            // It has no durable record: its name is the next sequence.
            open = nil
            shared.published.withLock { if $0.segments.last?.first == first { _ = $0.segments.removeLast() } }
        }
        // Out of the way, not out of sight. Asked, not assumed: somebody may have deleted it.
        if try directory.names().contains(name) { try directory.rename(name, to: SegmentName.failed(name)) }
        let file = try directory.create(name)
        do throws(SystemError) {
            try file.writeWhole(lines, at: 0)
            try file.synchronizeData()
            try directory.synchronize()
            try checkStanding(file)
        } catch {
            // None of it was acknowledged. Left behind it would only fill a disk that is perhaps full.
            _ = try? directory.remove(name)
            throw error
        }
        open = Open(file: file, first: first, size: Int64(lines.count))
        shared.published.withLock { $0.segments.append(Segment(file: file, first: first, index: SegmentIndex())) }
        observe(.segmentBegun(name: name))
    }

    /// Invariant 5: what was synced can also be found again.
    private func checkStanding(_ file: any File) throws(SystemError) {
        if try directory.isGone() { throw SystemError(operation: "stat", path: directory.path, code: SystemError.missing) }
        guard try file.isLinked() else { throw SystemError(operation: "fstat", path: file.name, code: SystemError.missing) }
    }

    /// Invariant 5 for a batch that writes nothing: a duplicate is no safer than the record it repeats. False,
    /// and blocked, when the directory is gone.
    private func stands() -> Bool {
        guard (try? directory.isGone()) ?? false else { return true }
        block(because: .directoryGone(path: directory.path))
        return false
    }

    private func checkSpace() {
        let now = time.monotonicMilliseconds()
        guard block == nil, now - spaceCheckedMilliseconds >= Self.spaceCheckMilliseconds || bytesSinceSpaceCheck >= Self.spaceCheckBytes
        else { return }
        spaceCheckedMilliseconds = now
        bytesSinceSpaceCheck = 0
        // Where the question itself fails, the write will say what is wrong.
        guard let free = try? directory.freeBytes(), free < options.freeBytesMin else { return }
        block(because: .space(freeBytes: free, freeBytesMin: options.freeBytesMin))
    }

    // MARK: blocked, and out of it

    private func block(because reason: LogBlock) {
        let gone = (try? directory.isGone()) ?? false
        let reason = gone ? LogBlock.directoryGone(path: directory.path) : reason
        block = reason
        shared.published.withLock { $0.block = reason }
        observe(.blocked(reason))
        scheduleProbe()
    }

    private func scheduleProbe() {
        guard !isProbing else { return }
        isProbing = true
        later(Self.probeMilliseconds) { $0.probe() }
    }

    /// Once a second while blocked: does it work again?
    private func probe() {
        isProbing = false
        guard let block, !isClosed else { return }
        if case .space = block {
            if let free = try? directory.freeBytes(), free < options.freeBytesMin { return scheduleProbe() }
        } else {
            encodeCheckpoint()
            guard busy({ (try? beginSegment()) != nil }) else { return scheduleProbe() }
            proven = durable
        }
        self.block = nil
        shared.published.withLock { $0.block = nil }
        observe(.unblocked)
        // Refused while there was no space.
        checkpoint()
    }

    // MARK: checkpoints

    private func encodeCheckpoint() {
        latest = max(latest, Timestamp(milliseconds: time.wallMilliseconds()))
        lines.removeAll(keepingCapacity: true)
        RecordFormat.appendCheckpoint(receivedAt: latest, durable: durable, to: &lines)
    }

    private func scheduleCheckpoint(_ milliseconds: Int) {
        guard !isCheckpointDue else { return }
        isCheckpointDue = true
        later(milliseconds) { $0.checkpointWhenQuiet() }
    }

    private func checkpointWhenQuiet() {
        isCheckpointDue = false
        guard !isClosed else { return }
        let quiet = time.monotonicMilliseconds() - lastRecordMilliseconds
        if quiet < Int64(Self.checkpointMilliseconds) { return scheduleCheckpoint(Self.checkpointMilliseconds - Int(quiet)) }
        checkpoint()
    }

    /// Proves on disk what is durable, unless a line already does.
    func checkpoint() {
        guard proven < durable, block == nil else { return }
        encodeCheckpoint()
        if busy({ store() }) { proven = durable }
    }

    /// Shows readers since when the writer is at it: a disk that hangs must not look idle.
    private func busy<Result>(_ body: () -> Result) -> Result {
        shared.busySinceMilliseconds.store(time.monotonicMilliseconds(), ordering: .releasing)
        defer { shared.busySinceMilliseconds.store(0, ordering: .releasing) }
        return body()
    }

    /// The last checkpoint; no timer writes after it.
    func close() {
        checkpoint()
        isClosed = true
    }
}
