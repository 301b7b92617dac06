// What the writer counts, and what a look at the log tells, for whoever watches the server.
//
// Promises: the writer's queue alone counts, once a record is durable, so that no number runs ahead of the log; any thread
// reads. All begin at 0 with the process.
// Must not know: what the describer's numbers mean, how a number is shown.

import Platform

/// Written on the writer queue only.
final class LogMeters: Sendable {
    /// Of an fdatasync, in nanoseconds: from a disk that answers from its cache to one that hangs.
    static let syncBounds = HistogramBounds([100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 500_000, 1_000_000, 5_000_000].map { $0 * 1_000 })
    /// Of a batch, in records.
    static let batchBounds = HistogramBounds([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 4_096])

    private static let slots = RecordCounts.slots
    /// The cells of `figures`.
    private static let duplicates = 0, writeFailures = 1, writtenBytes = 2, openBytes = 3, newestCallback = 4

    private let kinds = Counters<16>()
    /// Of callbacks, by the describer's numbers.
    private let statuses = Counters<16>(), failureClasses = Counters<16>()
    private let figures = Counters<5>()
    private let syncs = Counters<14>(), batches = Counters<14>()

    init() { precondition(Self.syncBounds.cellCount == 14 && Self.batchBounds.cellCount == 14 && Self.slots == 16) }

    /// One record has become durable.
    func count(_ kind: RecordKind, _ state: RecordState) {
        kinds.add(at: RecordCounts.slot(kind.rawValue))
        guard kind == .callback else { return }
        statuses.add(at: RecordCounts.slot(state.status))
        failureClasses.add(at: RecordCounts.slot(state.failureClass))
    }

    /// A batch of so many records has, all of them received at once.
    func countBatch(records: Int, hasCallback: Bool, receivedAt: Timestamp) {
        batches.observe(UInt64(records), Self.batchBounds)
        if hasCallback { figures.set(UInt64(max(0, receivedAt.milliseconds)), at: Self.newestCallback) }
    }

    func countDuplicate() { figures.add(at: Self.duplicates) }
    func countWriteFailure() { figures.add(at: Self.writeFailures) }

    /// So many bytes were written; the open segment now has `open`.
    func countWritten(bytes: Int, open: Int64) {
        figures.add(UInt64(bytes), at: Self.writtenBytes)
        figures.set(UInt64(max(0, open)), at: Self.openBytes)
    }

    /// fdatasync(2), and counts how long that took, successful or not.
    func synchronize(_ file: any File) throws(SystemError) {
        let began = Clock.monotonicNanoseconds()
        defer { syncs.observe(UInt64(max(0, Clock.monotonicNanoseconds() - began)), Self.syncBounds) }
        try file.synchronizeData()
    }

    fileprivate func fill(_ result: inout LogFigures) {
        result.callbacks = kinds[RecordCounts.slot(RecordKind.callback.rawValue)]
        result.announcements = kinds[RecordCounts.slot(RecordKind.announcement.rawValue)]
        result.overdue = kinds[RecordCounts.slot(RecordKind.overdue.rawValue)]
        result.statuses = (0..<Self.slots).map { statuses[$0] }
        result.failureClasses = (0..<Self.slots).map { failureClasses[$0] }
        result.duplicates = figures[Self.duplicates]
        result.writeFailures = figures[Self.writeFailures]
        result.writtenBytes = figures[Self.writtenBytes]
        result.segmentBytes = figures[Self.openBytes]
        result.newestCallback = figures[Self.newestCallback]
        result.syncNanoseconds = syncs.histogram(Self.syncBounds)
        result.batchRecords = batches.histogram(Self.batchBounds)
    }
}

/// The log in numbers: counted since the process began, unless said otherwise.
public struct LogFigures: Sendable {
    /// Records that have become durable.
    public internal(set) var callbacks: UInt64 = 0, announcements: UInt64 = 0, overdue: UInt64 = 0
    /// Of the callbacks, by the numbers of `RecordDescription`.
    public internal(set) var statuses: [UInt64] = [], failureClasses: [UInt64] = []
    /// Callbacks that had come before.
    public internal(set) var duplicates: UInt64 = 0
    /// Writes and fdatasyncs that failed.
    public internal(set) var writeFailures: UInt64 = 0
    /// Of lines, without what is written ahead of them.
    public internal(set) var writtenBytes: UInt64 = 0
    /// When the newest callback since the process began was received, in milliseconds since 1970; 0 where none was.
    public internal(set) var newestCallback: UInt64 = 0
    /// Of each fdatasync.
    public internal(set) var syncNanoseconds = HistogramReading(LogMeters.syncBounds)
    /// Of each batch.
    public internal(set) var batchRecords = HistogramReading(LogMeters.batchBounds)

    // As it is now.
    /// The durable position.
    public internal(set) var durable: UInt64 = 0
    /// The open one included.
    public internal(set) var segments = 0
    /// Of the segments, and of the index files beside them, in bytes.
    public internal(set) var segmentBytes: UInt64 = 0, indexBytes: UInt64 = 0
    /// Damaged places that are known.
    public internal(set) var damages = 0
    /// Announced and not answered, those that are overdue included; and these alone.
    public internal(set) var openAnnouncements = 0, overdueAnnouncements = 0
    /// On the log's file system; nil where it does not say.
    public internal(set) var freeBytes: Int64?
}

extension CallbackLog {
    /// From any thread; one question to the file system, nothing is read.
    public func figures() -> LogFigures {
        var figures = LogFigures()
        shared.meters.fill(&figures)
        let sealed = shared.published.withLock { published in
            figures.durable = published.durable
            figures.openAnnouncements = published.expectations.count
            figures.overdueAnnouncements = published.expectations.overdueCount
            return published.sealed
        }
        figures.segments = sealed.count + 1
        for segment in sealed {
            figures.segmentBytes += UInt64(max(0, segment.byteCount))
            figures.indexBytes += UInt64(max(0, segment.indexBytes))
            figures.damages += segment.damageCount
        }
        figures.freeBytes = freeBytes
        return figures
    }

    /// When the newest callback in the log was received; nil where there is none. Reads index files, whatever they need.
    public func newestCallback(using reader: inout RecordReader) throws(RecordReadFailure) -> Timestamp? {
        var walk = StateWalk(0...durable, isNewestFirst: true)
        var run = StateRun()
        let callbacks = RecordCounts.slot(RecordKind.callback.rawValue)
        while try walk.next(&run, in: shared, using: &reader.pages, isOfUse: { $0.kinds[callbacks] > 0 }) {
            for place in run.states.indices.reversed() where run.states[place] & 15 < RecordState.announcement {
                guard let location = try? run.location(place, in: shared, using: &reader.pages),
                    let record = try? read(location, using: &reader), record.kind == .callback
                else { continue }
                return record.receivedAt
            }
            walk.pass(run)
        }
        return nil
    }
}
