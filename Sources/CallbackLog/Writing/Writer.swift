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
    /// Free space is asked for at most this often, and after so many bytes, or an eighth of the minimum where that is
    /// less: what is written in between, padding and index files included, must not reach the end of the disk.
    static let spaceCheckMilliseconds: Int64 = 1_000
    static let spaceCheckBytes: Int64 = 16 * 1_024 * 1_024
    /// Offsets in the index have 32 bits; a segment ends so far below that a whole batch still fits.
    static let segmentBytesCeiling: Int64 = 2 * 1_024 * 1_024 * 1_024
    /// Before any time, with room to subtract it.
    static let never = Int64.min / 2
    /// With a batch so large the growth of a file costs less than line feeds written ahead.
    static let paddedBatchBytesMax = 64 * 1_024

    private let directory: any Directory
    let shared: Shared
    var options: LogOptions
    private let time: LogTime
    private let observe: @Sendable (LogNotice) -> Void
    /// Runs a closure with this writer, on its queue, after so many milliseconds.
    private let later: @Sendable (Int, @escaping @Sendable (Writer) -> Void) -> Void

    private var open: WrittenSegment?
    private(set) var durable: UInt64
    /// The highest durable position that a line on disk proves.
    private var proven: UInt64
    private var latest: Timestamp
    private(set) var block: LogBlock?
    /// What is appended makes room for more than it takes.
    var isMakingRoom = false
    private var isCheckpointDue = false
    private var isProbing = false
    private(set) var isClosed = false
    private var lastRecordMilliseconds: Int64 = 0
    var spaceCheckedMilliseconds = Writer.never
    private var bytesSinceSpaceCheck: Int64 = 0

    var batch: Batch
    var duplicates: Duplicates
    let hash: KeyedHash
    private let padding: [UInt8]

    init(
        _ recovery: Recovery, directory: any Directory, shared: Shared, options: LogOptions, time: LogTime,
        observe: @escaping @Sendable (LogNotice) -> Void,
        later: @escaping @Sendable (Int, @escaping @Sendable (Writer) -> Void) -> Void
    ) {
        self.directory = directory
        self.shared = shared
        self.options = options
        self.time = time
        self.observe = observe
        self.later = later
        hash = recovery.hash
        batch = Batch(hash: recovery.hash, describe: options.describe)
        padding = [UInt8](repeating: 0x0A, count: options.paddingBytes)
        duplicates = Duplicates(shared: shared, observe: observe)
        open = WrittenSegment(
            file: recovery.open.file, first: recovery.open.first, size: recovery.end, padded: recovery.end, earliest: recovery.earliest)
        durable = recovery.next - 1
        proven = recovery.proven
        latest = recovery.latest
        shared.meters.countWritten(bytes: 0, open: recovery.end)
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
            acknowledge(submissions[start..<end], batch.outcomes)
            start = end
        }
        // Lets go of what was handed over.
        batch.begin()
    }

    private func commit(_ submissions: ArraySlice<Submission>) {
        batch.begin(submissions)
        checkSpace()
        // Decided also while blocked: a duplicate of what is durable needs nothing of the disk (API.md §3).
        let receivedAt = max(latest, Timestamp(milliseconds: time.wallMilliseconds()))
        for position in submissions.indices { decide(submissions[position], at: position, receivedAt: receivedAt) }
        let isStored = batch.count == 0 ? stands() : isOpenToRecords && store()
        guard isStored else { return refuse() }
        guard batch.count > 0 else { return }
        latest = receivedAt
        publish()
        if open?.earliest == nil { open?.earliest = receivedAt }
        lastRecordMilliseconds = time.monotonicMilliseconds()
        scheduleCheckpoint(Self.checkpointMilliseconds)
    }

    private var isOpenToRecords: Bool { if case .space = block { isMakingRoom } else { block == nil } }

    /// What was durable before stays said, unless it went with the directory.
    private func refuse() {
        guard let block else { return }
        if case .directoryGone = block { batch.refuse(above: 0, because: block) } else { batch.refuse(above: durable, because: block) }
    }

    /// After fdatasync: the batch's records become visible, all at once.
    private func publish() {
        guard let open else { return }
        let position = durable + UInt64(batch.count)
        shared.published.withLock { published in
            batch.place(in: &published, at: open.size - Int64(batch.lines.count))
            published.durable = position
        }
        batch.count(in: shared.meters, receivedAt: latest)
        // Every line of the batch says so.
        proven = durable
        durable = position
        if batch.changesExpectations { shared.wakeExpectations() }
        shared.tell { Advance(durable: position, requestHashes: batch.requestHashes) }
    }

    // MARK: the disk

    /// Puts the batch's lines on stable storage: in the open segment, or after a failure once more in a fresh one
    /// (invariant 3). False, and blocked, when that failed too.
    private func store() -> Bool { shared.writerDisk.during { storeOnDisk() } }

    private func storeOnDisk() -> Bool {
        do throws(SystemError) {
            let isFull = open.map { $0.isLeft || $0.size > 0 && $0.size + Int64(batch.lines.count) > options.segmentBytesLimit }
            if isFull ?? true { try beginSegment() } else { try writeToOpenSegment() }
            bytesSinceSpaceCheck += Int64(batch.lines.count)
            return true
        } catch {
            say(error)
        }
        // It is left as it is, whatever that is.
        if let size = open?.size { open?.padded = size }
        do throws(SystemError) {
            try beginSegment()
            return true
        } catch {
            shared.meters.countWriteFailure()
            block(because: .failed(error))
            return false
        }
    }

    private func writeToOpenSegment() throws(SystemError) {
        guard let file = open?.file, let size = open?.size, let padded = open?.padded else { return }
        try open?.checkLength()
        open?.padded = try writeLines(to: file, at: size, padded: padded)
        try shared.meters.synchronize(file)
        try checkStanding(file)
        open?.size = size + Int64(batch.lines.count)
        shared.meters.countWritten(bytes: batch.lines.count, open: size + Int64(batch.lines.count))
    }

    private func say(_ failure: SystemError) {
        shared.meters.countWriteFailure()
        observe(.writeFailed("\(failure)"))
    }

    /// Writes the batch's lines at `offset` of `file`, and line feeds ahead of the next ones where there are none: an
    /// fdatasync into written space is nearly twice as fast as one that makes a file grow (DESIGN.md §3), and empty
    /// lines are padding (API.md §7). Returns where the line feeds end.
    private func writeLines(to file: any File, at offset: Int64, padded: Int64) throws(SystemError) -> Int64 {
        try file.writeWhole(batch.lines, at: offset)
        let end = offset + Int64(batch.lines.count)
        guard end > padded, !padding.isEmpty, batch.lines.count <= Self.paddedBatchBytesMax else { return max(end, padded) }
        // A disk without room for them is slower, and no worse.
        _ = try? file.writeWhole(padding, at: end)
        return end + Int64(padding.count)
    }

    /// Writes the batch's lines to a fresh segment named by the next sequence. It counts once the directory is synced.
    private func beginSegment() throws(SystemError) {
        let first = durable + 1
        let name = SegmentName.name(first: first)
        if open?.first == first {
            // It has no durable record: its name is the next sequence.
            open = nil
        }
        // Out of the way, not out of sight. Asked, not assumed: somebody may have deleted it.
        if try directory.names().contains(name) { try directory.rename(name, to: SegmentName.failed(name)) }
        let file = try directory.create(name)
        let padded: Int64
        do throws(SystemError) {
            padded = try writeLines(to: file, at: 0, padded: 0)
            try shared.meters.synchronize(file)
            try directory.synchronize()
            try checkStanding(file)
        } catch {
            // None of it was acknowledged. Left behind it would only fill a disk that is perhaps full.
            _ = try? directory.remove(name)
            throw error
        }
        let before = open
        open?.trim()
        open = WrittenSegment(file: file, first: first, size: Int64(batch.lines.count), padded: padded)
        shared.meters.countWritten(bytes: batch.lines.count, open: Int64(batch.lines.count))
        shared.published.withLock {
            $0.begin(OpenSegment(file: file, first: first, index: SegmentIndex(first: first)), sealing: before?.size ?? 0, latest: latest)
        }
        observe(.segmentBegun(name: name))
        shared.wakeUpkeep()
        shared.wakeExpectations()
    }

    /// Seals the open segment, where it has records and the first of them is older than `ageMilliseconds`, if given.
    func seal(olderThan ageMilliseconds: Int64?) {
        guard !isClosed, block == nil, let open, let earliest = open.earliest, durable >= open.first else { return }
        if let ageMilliseconds, time.wallMilliseconds() - earliest.milliseconds <= ageMilliseconds { return }
        encodeCheckpoint()
        do throws(SystemError) {
            try busy { () throws(SystemError) in try atDisk { () throws(SystemError) in try beginSegment() } }
            proven = durable
        } catch {
            // Whatever comes next begins a segment.
            self.open?.isLeft = true
            say(error)
        }
    }

    /// Invariant 5: what was synced can also be found again.
    private func checkStanding(_ file: any File) throws(SystemError) {
        if try directory.isGone() { throw SystemError(operation: "stat", path: directory.path, code: SystemError.missing) }
        guard try file.isLinked() else { throw SystemError(operation: "fstat", path: file.name, code: SystemError.missing) }
    }

    /// Invariant 5 for a segment that nothing is written to at the moment: where it is gone or cut short, it ends here.
    func checkOpenSegment() {
        guard block == nil, let open else { return }
        do throws(SystemError) {
            try atDisk { () throws(SystemError) in
                try open.checkLength()
                try checkStanding(open.file)
            }
        } catch {
            // The first thing it does is to find that again.
            encodeCheckpoint()
            if busy({ store() }) { proven = durable }
        }
    }

    /// Invariant 5 for a batch that writes nothing: a duplicate is no safer than the record it repeats. False,
    /// and blocked, when the directory is gone.
    func stands() -> Bool {
        guard isGone else { return true }
        if block == nil { block(because: .directoryGone(path: directory.path)) }
        return false
    }

    func checkSpace() {
        let now = time.monotonicMilliseconds()
        guard block == nil, now - spaceCheckedMilliseconds >= Self.spaceCheckMilliseconds || bytesSinceSpaceCheck >= min(Self.spaceCheckBytes, options.freeBytesMin / 8)
        else { return }
        spaceCheckedMilliseconds = now
        bytesSinceSpaceCheck = 0
        // Where the question itself fails, the write will say what is wrong.
        guard let free = freeBytes, free < options.freeBytesMin else { return }
        block(because: .space(freeBytes: free, freeBytesMin: options.freeBytesMin))
    }

    // MARK: blocked, and out of it

    private func block(because reason: LogBlock) {
        let reason = isGone ? LogBlock.directoryGone(path: directory.path) : reason
        block = reason
        // The disk has answered with that, and nothing is taken as yet.
        shared.isStalled.withLock { $0 = false }
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
            if let free = freeBytes, free < options.freeBytesMin { return scheduleProbe() }
        } else {
            encodeCheckpoint()
            guard busy({ atDisk { (try? beginSegment()) != nil } }) else { return scheduleProbe() }
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
        batch.begin()
        batch.addCheckpoint(receivedAt: latest, durable: durable)
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
    private func busy<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        let began = time.monotonicMilliseconds()
        shared.busySinceMilliseconds.store(began, ordering: .releasing)
        defer { if shared.endBusy() { observe(.answered(milliseconds: time.monotonicMilliseconds() - began)) } }
        return try body()
    }

    /// `body` waits for the disk, which is no fault of the writer's.
    private func atDisk<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        try shared.writerDisk.during(body)
    }

    private var isGone: Bool { atDisk { (try? directory.isGone()) ?? false } }
    private var freeBytes: Int64? { atDisk { try? directory.freeBytes() } }

    /// The last checkpoint; no timer writes after it.
    func close() {
        checkpoint()
        if block == nil { atDisk { open?.trim() } }
        isClosed = true
    }
}
