// The append-only log keyed by request_id: its door.
//
// Promises: `append` hands over and returns at once; the acknowledgement comes when the record is durable, or
// says why it is not. What `records` and `read` show is durable (invariant 2). Opening makes the directory
// whole first (Recovery.swift) and takes it for this process alone.
// Must not know: HTTP, JSON beyond its own lines, what a payload means.

import Dispatch
import Platform
import Synchronization

/// Where a record is. A value to read with; the segment stays readable as long as it is held.
public struct RecordLocation: Sendable {
    let segment: any File
    let entry: RecordEntry
    /// Its place in the log: 1 and up, dense.
    public var sequence: UInt64 { entry.sequence }
    /// What it records.
    public var kind: RecordKind { entry.kind }
    /// Of the line, in bytes.
    public var byteCount: Int { Int(entry.length) }
}

/// A record that was read; its ranges are of the reader's `bytes`.
public struct StoredRecord: Sendable {
    /// Its place in the log: 1 and up, dense.
    public let sequence: UInt64
    /// When it was appended, by the wall clock; never before that of the record before it.
    public let receivedAt: Timestamp
    /// What it records.
    public let kind: RecordKind
    /// As decoded on arrival; nil for what is no callback.
    public let status: RecordedStatus?
    /// As it stands in the line: visible ASCII, `"` and `\` escaped.
    public let requestID: Range<Int>
    /// Of a callback: the JSON object that came. Otherwise the members of the kind.
    public let payload: Range<Int>

    /// Appends the `request_id` without its escapes. `bytes` are those of the reader that read the record.
    public func appendRequestID(of bytes: Span<UInt8>, to output: inout [UInt8]) { RecordFormat.appendUnescaped(bytes.extracting(requestID), to: &output) }
}

/// Whether the log takes records, for `/readyz`.
public struct LogReadiness: Sendable {
    /// Why it takes none; nil where it does.
    public let block: LogBlock?
    /// How long the writer has been in one batch, checkpoint or probe, in milliseconds; 0 while it is in none.
    public let busyMilliseconds: Int64
}

/// A log that is open for one process: it takes submissions, acknowledges them once they are durable, and is read. Every
/// question may be asked from any thread; `close` ends it.
public final class CallbackLog: Sendable {
    /// One request has at most this many records; more would make each look-up of it long.
    public static let recordsPerRequestMax = 1_000
    /// Where it has so many it is announced no more: the rest is for what nobody can ask for again, its callbacks.
    public static let recordsBeforeAnnouncementMax = 900
    /// Requests that are announced and await their callback, overdue ones included (and as many more as a batch holds).
    /// Each takes about 100 bytes of memory.
    public static let awaitedMax = 4_000_000
    /// Bytes of submissions that wait for the writer. At 300 bytes each about 100,000: a second's worth on a slow disk.
    static let waitingBytesMax = 32 * 1_024 * 1_024
    /// Descriptors that it keeps open for reading, at most.
    public static let openFilesMax = OpenFiles.countMax
    /// A batch that takes longer than this means that the disk does not answer.
    public static let stalledMilliseconds: Int64 = 5_000
    /// A batch may have begun so long after a record came that waits for it.
    static let stallSlackMilliseconds: Int64 = 1_000
    /// What a waiting submission weighs beside its record.
    static let submissionBytes = 96

    /// What opening it found and did.
    public let report: RecoveryReport
    let shared: Shared
    let directory: any Directory
    let time: LogTime
    let hash: KeyedHash
    /// Its queue is where everything happens in order.
    let writer: Confined<Writer>
    /// Its queue is where everything else happens.
    let upkeep: Confined<Upkeep>
    /// Its queue is where announced requests are looked after.
    let expectations: Confined<ExpectationKeeper>
    private let identity: Identity
    let observe: @Sendable (LogNotice) -> Void
    /// The writer is to look around, and has not yet.
    let isLookDue = Atomic<Bool>(false)
    let hasUpkeep: Bool
    private let mailbox: Mailbox<Submission>
    private let recipients = Mutex<[@Sendable ([Acknowledgement]) -> Void]>([])

    /// Opens the log in the directory at `path`, which is made where it is missing.
    public static func open(
        path: String, options: LogOptions = LogOptions(), time: LogTime = .system,
        observe: @escaping @Sendable (LogNotice) -> Void = { _ in }
    ) throws(LogOpenFailure) -> CallbackLog {
        let directory: SystemDirectory
        let isMine: Bool
        do throws(SystemError) {
            directory = try SystemDirectory(creating: path)
            isMine = try directory.lockExclusively()
        } catch {
            throw .system(error)
        }
        guard isMine else { throw .inUse(path: path) }
        return try CallbackLog(directory: directory, options: options, time: time, observe: observe)
    }

    /// Opens the log in `directory`, which nobody else writes to.
    public init(
        directory: any Directory, options: LogOptions = LogOptions(), time: LogTime = .system,
        observe: @escaping @Sendable (LogNotice) -> Void = { _ in }
    ) throws(LogOpenFailure) {
        let recovery = try Recovery(directory, options: options)
        let shared = Shared(
            Published(sealed: recovery.sealed, open: recovery.open, durable: recovery.next - 1), files: OpenFiles(directory, countMax: options.openFilesMax))
        let queue = DispatchQueue(label: "log.writer")
        let door = Door()
        let writer = Confined(
            Writer(
                recovery, directory: directory, shared: shared, options: options, time: time, observe: observe,
                later: { milliseconds, body in
                    time.after(milliseconds, queue) { door.writer?.withValue { body($0) } }
                }),
            to: queue)
        door.set(writer)
        let supersessions = SupersessionKeeper(shared: shared, directory: directory, logID: recovery.identity.logID)
        if options.hasUpkeep { supersessions.start() }
        let withWriter: @Sendable (() -> Void) -> Void = { body in queue.sync { shared.writerDisk.during(body) } }
        let upkeepQueue = DispatchQueue(label: "log.upkeep", qos: .utility)
        let upkeep = Confined(
            Upkeep(
                directory: directory, shared: shared, supersessions: supersessions,
                maker: IndexMaker(directory: directory, hash: recovery.hash, options: options),
                options: options, time: time, observe: observe,
                seal: { age in queue.async { door.writer?.withValue { $0.seal(olderThan: age) } } },
                withWriter: withWriter,
                append: { submissions in queue.sync { door.writer?.withValue { $0.append(whole: submissions, isMakingRoom: true) } ?? false } },
                later: { milliseconds, body in
                    time.after(milliseconds, upkeepQueue) { door.upkeep?.withValue { body($0) } }
                }),
            to: upkeepQueue)
        door.set(upkeep)
        if options.hasUpkeep {
            shared.upkeepWaker.set { upkeepQueue.async { door.upkeep?.withValue { $0.run() } } }
        }
        let expectationsQueue = DispatchQueue(label: "log.expectations")
        let expectations = Confined(
            ExpectationKeeper(
                shared: shared, directory: directory, identity: recovery.identity, hash: recovery.hash, time: time,
                keepsFile: options.hasUpkeep, observe: observe, withWriter: withWriter,
                append: { submissions in queue.sync { door.writer?.withValue { $0.append(whole: submissions) } ?? false } },
                later: { milliseconds, body in
                    time.after(milliseconds, expectationsQueue) { door.expectations?.withValue { body($0) } }
                }),
            to: expectationsQueue)
        door.set(expectations)
        expectationsQueue.sync { expectations.withValue { $0.begin() } }
        shared.expectationsWaker.set { expectationsQueue.async { door.expectations?.withValue { $0.run() } } }
        report = recovery.report
        self.expectations = expectations
        self.observe = observe
        identity = recovery.identity
        self.shared = shared
        self.directory = directory
        self.time = time
        hasUpkeep = options.hasUpkeep
        hash = recovery.hash
        self.writer = writer
        self.upkeep = upkeep
        let drain = door
        mailbox = Mailbox(weightMax: Self.waitingBytesMax) { queue.async { drain.log?.drain() } }
        door.set(self)
        // What recovery found sound and synced is proven at once.
        queue.async { writer.withValue { $0.checkpoint() } }
        // Their files may have been restored since: a look at them is what a damaged segment's index is worth.
        if options.hasUpkeep { for segment in recovery.sealed where segment.damageCount > 0 { shared.suspect(segment.first) } }
        shared.wakeUpkeep()
        shared.wakeExpectations()
    }

    /// Numbers a receiver of acknowledgements; it is called on the writer's queue, once for each batch that
    /// holds a submission of its own, and must not block.
    public func addRecipient(_ receive: @escaping @Sendable ([Acknowledgement]) -> Void) -> Int {
        recipients.withLock {
            $0.append(receive)
            return $0.count - 1
        }
    }

    /// Hands a callback over. False when too many wait, or when no line could hold it: it was not taken, and
    /// nobody will be told.
    public func append(_ submission: Submission) -> Bool {
        guard submission.payload.count <= RecordFormat.payloadBytesMax else { return false }
        return mailbox.post(submission, weight: submission.record.count + Self.submissionBytes)
    }

    /// Everything handed over before is durable or refused when this returns; then the last checkpoint is. What upkeep
    /// is at is dropped.
    public func close() {
        shared.isClosing.store(true, ordering: .relaxed)
        writer.queue.sync {
            drain()
            writer.withValue { $0.close() }
        }
        expectations.queue.sync { expectations.withValue { $0.close() } }
        // Whoever opens the directory next is alone in it.
        let hasUpkeep = self.hasUpkeep
        upkeep.queue.sync { if hasUpkeep { upkeep.withValue { $0.close() } } }
    }

    private func drain() {
        let receivers = recipients.withLock { $0 }
        writer.withValue { writer in
            var submissions: [Submission] = []
            mailbox.take(into: &submissions)
            writer.append(submissions) { batch, outcomes in
                var acknowledgements = [[Acknowledgement]](repeating: [], count: receivers.count)
                for (submission, outcome) in zip(batch, outcomes) {
                    if case .stored(_, duplicate: true) = outcome { shared.meters.countDuplicate() }
                    acknowledgements[submission.recipient].append(Acknowledgement(ticket: submission.ticket, outcome: outcome))
                }
                for (receive, list) in zip(receivers, acknowledgements) where !list.isEmpty { receive(list) }
            }
        }
    }

    // MARK: following

    /// `observe` hears of every batch that became durable while somebody is interested, on the writer's queue, and must
    /// not block.
    public func addObserver(_ observe: @escaping @Sendable (Advance) -> Void) { shared.addObserver(observe) }

    /// Whoever waits for records adds itself, then reads the log, then waits: so it misses none.
    public var interest: Interest { shared.interest }

    /// As `Advance.requestHashes` has it. Different requests may have the same.
    public func hash(of requestID: Span<UInt8>) -> UInt64 { hash.hash(requestID) }

    /// Tells this log from every other: 32 hexadecimal digits.
    public var logID: String { identity.logIDText }

    /// Requests that were announced and have no callback yet, overdue or not.
    public var openAnnouncements: Int { shared.published.withLock { $0.expectations.count } }

    // MARK: reading

    /// The durable position: every record up to it is on stable storage and visible.
    public var durable: UInt64 { shared.published.withLock { $0.durable } }

    /// The records of a request, newest first; empty where nothing is known of it.
    public func records(of requestID: Span<UInt8>, using reader: inout RecordReader) throws(RecordReadFailure) -> [RecordLocation] {
        var isVerified = false
        var failure: RecordReadFailure?
        let candidates = shared.candidates(of: hash.hash(requestID), using: &reader.pages)
        guard candidates.isWhole else { throw .indexing }
        var locations = candidates.records
        var kept = 0
        for index in locations.indices {
            do throws(RecordReadFailure) {
                let line = try reader.read(locations[index].entry, in: locations[index].segment)
                guard line.names(requestID, in: reader.bytes.span) else { continue }
                isVerified = true
            } catch {
                failure = error
                shared.suspect(error)
            }
            // What cannot be read counts as one of the request whose hash it has, where there is such a request.
            if kept < index { locations[kept] = locations[index] }
            kept += 1
        }
        if !isVerified, let failure { throw failure }
        locations.removeSubrange(kept...)
        return locations
    }

    /// Bytes that may still be written to its file system; nil where that does not say.
    var freeBytes: Int64? { try? directory.freeBytes() }

    /// The first sequence that retention has left.
    public var firstSequence: UInt64 { shared.published.withLock(\.firstSequence) }

    /// The first record there is with this sequence or a higher one; nil where there is none yet.
    public func record(atOrAfter sequence: UInt64, using reader: inout RecordReader) throws(RecordReadFailure) -> RecordLocation? {
        try shared.record(atOrAfter: sequence, using: &reader.pages)
    }

    /// Reads one record into the reader's buffer.
    public func read(_ location: RecordLocation, using reader: inout RecordReader) throws(RecordReadFailure) -> StoredRecord {
        let line = try reader.read(location.entry, in: location.segment)
        return StoredRecord(
            sequence: location.sequence, receivedAt: line.receivedAt, kind: line.kind, status: line.status, requestID: line.requestID,
            payload: line.payload)
    }

    /// The damaged places that are known, oldest first, at most 1,000; `count` counts them all.
    public var damages: (places: [UnsoundPlace], count: Int) {
        let sealed = shared.published.withLock { $0.sealed }
        var places: [UnsoundPlace] = []
        for segment in sealed where segment.damageCount > 0 { places += segment.damages.prefix(ScanState.damagesMax - places.count) }
        return (places, sealed.reduce(0) { $0 + $1.damageCount })
    }
}

/// What the timers and the mailbox reach, set once while the log is made. Weak: a log that is let go is gone.
private final class Door: Sendable {
    private struct State {
        weak var writer: Confined<Writer>?
        weak var upkeep: Confined<Upkeep>?
        weak var expectations: Confined<ExpectationKeeper>?
        weak var log: CallbackLog?
    }
    private let state = Mutex(State())
    var writer: Confined<Writer>? { state.withLock { $0.writer } }
    var upkeep: Confined<Upkeep>? { state.withLock { $0.upkeep } }
    var expectations: Confined<ExpectationKeeper>? { state.withLock { $0.expectations } }
    var log: CallbackLog? { state.withLock { $0.log } }
    func set(_ writer: Confined<Writer>) { state.withLock { $0.writer = writer } }
    func set(_ upkeep: Confined<Upkeep>) { state.withLock { $0.upkeep = upkeep } }
    func set(_ expectations: Confined<ExpectationKeeper>) { state.withLock { $0.expectations = expectations } }
    func set(_ log: CallbackLog) { state.withLock { $0.log = log } }
}
