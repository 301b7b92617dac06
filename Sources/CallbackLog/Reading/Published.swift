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
    /// Filters in memory, in bytes: those of the newest 44 million records. Of older segments a page is read instead.
    static let filterBytesMax = 64 * 1_024 * 1_024
    /// Records whose indexes wait in memory until their files are written: 60 MB of a disk that takes none. Beyond it
    /// the oldest segments cannot be asked until then.
    static let unwrittenRecordsMax = 1_000_000

    /// Oldest first. What is in here never changes, so readers take it along and look into it without the lock.
    private(set) var sealed: [SealedSegment]
    var open: OpenSegment
    var durable: UInt64
    var block: LogBlock?

    init(sealed: [SealedSegment], open: OpenSegment, durable: UInt64) {
        self.sealed = []
        self.open = open
        self.durable = durable
        self.sealed = Self.bounded(sealed)
    }

    /// `fresh` is the open segment from now on, and that before it has `byteCount` bytes and its newest record from
    /// `latest`. One of the same name had no durable record, and is forgotten.
    mutating func begin(_ fresh: OpenSegment, sealing byteCount: Int64, latest: Timestamp) {
        if open.first != fresh.first {
            sealed.append(
                SealedSegment(first: open.first, successor: fresh.first, byteCount: byteCount, latest: latest, index: .inMemory(open.index)))
            sealed = Self.bounded(sealed)
        }
        open = fresh
    }

    /// Takes the place of the sealed segment that begins where it does; nothing where that is gone.
    mutating func replace(_ segment: SealedSegment) {
        guard let place = sealed.firstIndex(where: { $0.first == segment.first }) else { return }
        sealed[place] = segment
        sealed = Self.bounded(sealed)
    }

    mutating func removeOldest() { sealed.removeFirst() }

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

/// Shared by the writer, upkeep and all readers.
final class Shared: Sendable {
    let published: Mutex<Published>
    let files: OpenFiles
    /// When the writer entered the batch it is in, in monotonic milliseconds; 0 while it is in none.
    let busySinceMilliseconds = Atomic<Int64>(0)
    private let suspects = Mutex<Set<UInt64>>([])
    /// Starts upkeep; set once, while the log is made.
    let upkeepWaker = Mutex<@Sendable () -> Void>({})

    init(_ published: sending Published, files: OpenFiles) {
        self.published = Mutex(published)
        self.files = files
    }

    /// There is something for upkeep to do.
    func wakeUpkeep() { upkeepWaker.withLock { $0 }() }

    /// The segment that begins with `first`, or its index, is not as it should be: upkeep reads it again.
    func suspect(_ first: UInt64) {
        // No more of them than there are segments.
        guard suspects.withLock({ $0.insert(first).inserted }) else { return }
        wakeUpkeep()
    }

    /// What was suspected since the last call.
    func takeSuspects() -> Set<UInt64> {
        suspects.withLock { suspects in
            defer { suspects = [] }
            return suspects
        }
    }

    /// Whether there is a segment that begins with `first`.
    func has(_ first: UInt64) -> Bool {
        published.withLock { published in published.open.first == first || published.sealed.contains { $0.first == first } }
    }
}
