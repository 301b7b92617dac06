// What readers see: the durable part of the log, behind one short lock.
//
// Promises: nothing above the durable position is in here (invariant 2); the writer adds a whole batch at
// once, after its fdatasync; no system call happens under the lock. Readers never stop the writer for longer
// than a look-up in memory.
// Must not know: batches, sockets.

import Platform
import Synchronization

/// Why the log takes nothing now.
public enum LogBlock: Sendable, Equatable, CustomStringConvertible {
    /// A write or fdatasync failed, and so did the fresh segment after it (invariant 3).
    case failed(SystemError)
    /// The path no longer leads to the directory that was opened (invariant 5).
    case directoryGone(path: String)
    /// Less than `log.free-bytes-min` is free.
    case space(freeBytes: Int64, freeBytesMin: Int64)

    public var description: String {
        switch self {
        case .failed(let error): "the log cannot be written: \(error)"
        case .directoryGone: "the log directory was deleted, moved or replaced; put it back, or restart the server"
        case .space(let free, let minimum): "\(free) bytes are free on the log's file system and \(minimum) are wanted (log.free-bytes-min); free some"
        }
    }
}

/// The segment that takes records.
struct OpenSegment: Sendable {
    let file: any File
    let first: UInt64
    var index: SegmentIndex
}

struct Published {
    /// Filters in memory, in bytes, 1.5 for each record: those of the newest 110 million. Of older segments a page is read
    /// instead, a microsecond for each segment and callback.
    static let filterBytesMax = 160 * 1_024 * 1_024
    /// Records whose indexes wait in memory until their files are written: 60 MB of a disk that takes none. Beyond it
    /// the oldest segments cannot be asked until then.
    static let unwrittenRecordsMax = 1_000_000

    /// Oldest first. What is in here never changes, so readers take it along and look into it without the lock.
    private(set) var sealed: [SealedSegment] { didSet { filters = SealedFilters(sealed) } }
    private(set) var filters: SealedFilters
    var open: OpenSegment
    var durable: UInt64
    var block: LogBlock?
    var supersessions: Supersessions
    var expectations = Expectations()

    /// What the oldest segment's name says: all below it has gone by retention.
    var firstSequence: UInt64 { sealed.first?.first ?? open.first }

    init(sealed: [SealedSegment], open: OpenSegment, durable: UInt64) {
        self.sealed = Self.bounded(sealed)
        self.open = open
        self.durable = durable
        // Where there is no record, none is superseded.
        supersessions = Supersessions(durable: durable, isWhole: sealed.isEmpty && open.index.count == 0)
        filters = SealedFilters(self.sealed)
        expectations.remove(below: firstSequence)
        // Restored files among them, whose indexes say damage yet: what they await is not known before they are read again.
        for segment in sealed where segment.damageCount > 0 { expectations.expectReread(of: segment.first) }
    }

    /// `fresh` is the open segment from now on, and that before it has `byteCount` bytes and its newest record from
    /// `latest`. One of the same name had no durable record, and is forgotten.
    mutating func begin(_ fresh: OpenSegment, sealing byteCount: Int64, latest: Timestamp) {
        if open.first != fresh.first {
            let segment = SealedSegment(
                first: open.first, successor: fresh.first, byteCount: byteCount, latest: latest, index: .inMemory(open.index))
            sealed = Self.bounded(sealed + [segment])
        }
        open = fresh
    }

    /// Takes the place of the sealed segment that begins where it does; nothing where that is gone. True where announcements
    /// are to be looked at.
    mutating func replace(_ segment: SealedSegment) -> Bool {
        guard let place = sealed.firstIndex(where: { $0.first == segment.first }) else { return false }
        expectations.noteReread(of: segment.first)
        let before = sealed[place].recordCount
        var segments = sealed
        segments[place] = segment
        sealed = Self.bounded(segments)
        guard let count = segment.recordCount, count != before else { return false }
        if let before {
            // Those that it lost, or has again, may supersede others, or be awaited.
            supersessions.forget()
            if count < before { expectations.lose(segment.sequences) } else { expectations.regain(segment.sequences) }
        } else if segment.damageCount > 0 {
            // How many there were nobody knows: perhaps more than can be read now.
            expectations.lose(segment.sequences)
        } else {
            expectations.doubt(in: segment.sequences)
        }
        return true
    }

    /// Removes it, but for where a record above `position` is of one of these requests, by their hashes: what was concluded of
    /// them as of `position` may be otherwise by now. False where it was not removed.
    mutating func removeOldest(unlessAnyOf requests: Set<UInt64>, above position: UInt64) -> Bool {
        func isOfThese(_ index: SegmentIndex) -> Bool {
            (index.firstIndex(atOrAbove: position + 1)..<index.count).contains { requests.contains(index.requestHash($0)) }
        }
        if !requests.isEmpty {
            if isOfThese(open.index) { return false }
            for segment in sealed where segment.successor > position + 1 {
                // Sealed since: upkeep, which asks, has not made its file yet.
                guard case .inMemory(let index) = segment.index, !isOfThese(index) else { return false }
            }
        }
        removeOldest()
        return true
    }

    mutating func removeOldest() {
        sealed.removeFirst()
        supersessions.forget(below: firstSequence)
        expectations.remove(below: firstSequence)
    }

    /// What is kept in memory for the newest segments, and no more.
    private static func bounded(_ segments: [SealedSegment]) -> [SealedSegment] {
        var filterBytes = 0
        var unwrittenRecords = 0
        var kept = segments
        for index in kept.indices.reversed() {
            filterBytes += kept[index].filterBytes
            if filterBytes > filterBytesMax { kept[index] = kept[index].withoutFilter }
            if case .inMemory(let records) = kept[index].index {
                unwrittenRecords += records.count
                if unwrittenRecords > unwrittenRecordsMax { kept[index] = kept[index].withoutIndex }
            }
        }
        return kept
    }
}

/// The filters of the sealed segments side by side: a new callback asks all of them, and that is one loop over memory
/// that nobody counts references to.
final class SealedFilters: Sendable {
    /// Empty where it is not in memory.
    private let filters: [RequestFilter]

    init(_ segments: [SealedSegment]) {
        filters = segments.map { segment in
            if case .onDisk(let index) = segment.index, let filter = index.filter { filter } else { RequestFilter(records: 0) }
        }
    }

    var count: Int { filters.count }

    /// The last segment before `end` that may hold the hash.
    func last(before end: Int, mayHold probe: RequestFilter.Probe) -> Int? {
        var index = end
        while index > 0 {
            index -= 1
            if filters[index].blocks.isEmpty || filters[index].mayHold(probe) { return index }
        }
        return nil
    }
}

/// Shared by the writer, upkeep and all readers.
final class Shared: Sendable {
    let published: Mutex<Published>
    let files: OpenFiles
    let meters = LogMeters()
    /// When the writer entered the batch it is in, in monotonic milliseconds; 0 while it is in none.
    let busySinceMilliseconds = Atomic<Int64>(0)
    /// True from when the batch that the writer is in was said to stall until it ends.
    let isStalled = Mutex(false)
    /// Says when the writer waits for the disk.
    let writerDisk = DiskWait()
    /// The log is being closed: upkeep drops what it is at.
    let isClosing = Atomic<Bool>(false)
    private let suspects = Mutex<Set<UInt64>>([])
    /// Starts upkeep; set once, while the log is made.
    let upkeepWaker = Waker()
    /// Held while the file of open announcements is made of what is known, or removed since that has changed: one that is being
    /// made must not come after its removal. The writer and readers never wait for it.
    let expectationFile = Mutex<Void>(())

    init(_ published: sending Published, files: OpenFiles) {
        self.published = Mutex(published)
        self.files = files
    }

    /// How many want to hear of what becomes durable.
    let interest = Interest()
    private let observers = Mutex<[@Sendable (Advance) -> Void]>([])
    /// Starts what looks after expectations; set once, while the log is made.
    let expectationsWaker = Waker()

    /// The writer's batch has ended: from here on nobody says any more that it stalls. True where somebody did.
    func endBusy() -> Bool {
        busySinceMilliseconds.store(0, ordering: .releasing)
        return isStalled.withLock { isStalled in
            defer { isStalled = false }
            return isStalled
        }
    }

    /// What is expected has changed, or a segment was sealed.
    func wakeExpectations() { expectationsWaker.wake() }

    func addObserver(_ observe: @escaping @Sendable (Advance) -> Void) { observers.withLock { $0.append(observe) } }

    /// Tells the observers, where anybody wants to hear of it.
    func tell(_ advance: () -> Advance) {
        guard interest.isAny else { return }
        let told = advance()
        for observe in observers.withLock({ $0 }) { observe(told) }
    }

    /// There is something for upkeep to do.
    func wakeUpkeep() { upkeepWaker.wake() }

    /// The segment that begins with `first`, or its index, is not as it should be: upkeep reads it again.
    func suspect(_ first: UInt64) {
        // No more of them than there are segments.
        guard suspects.withLock({ $0.insert(first).inserted }) else { return }
        wakeUpkeep()
    }

    /// What was suspected since the last call, but for those that `rest`: they stay so, and wake nobody again.
    func takeSuspects(butFor rest: Set<UInt64>) -> Set<UInt64> {
        suspects.withLock { suspects in
            defer { suspects.formIntersection(rest) }
            return suspects.subtracting(rest)
        }
    }

    var hasSuspects: Bool { suspects.withLock { !$0.isEmpty } }

    /// The sealed segment that begins with `first`, as it is now.
    func sealed(_ first: UInt64) -> SealedSegment? {
        published.withLock { published in published.sealed.first { $0.first == first } }
    }
}

/// How many wait for what becomes durable. The writer looks at it after it has published: whoever adds itself first and
/// reads the log then misses nothing.
public final class Interest: Sendable {
    private let count = Atomic<Int>(0)

    /// One more wants to hear of it. Whoever adds itself removes itself once.
    public func add() { count.add(1, ordering: .sequentiallyConsistent) }
    /// One that was added no longer does.
    public func remove() { count.subtract(1, ordering: .sequentiallyConsistent) }
    var isAny: Bool { count.load(ordering: .sequentiallyConsistent) > 0 }
}
