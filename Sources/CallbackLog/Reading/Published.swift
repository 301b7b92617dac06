// What readers see: the durable part of the log, behind one short lock.
//
// Promises: nothing above the durable position is in here (invariant 2); the writer adds a whole batch at
// once, after its fdatasync; no system call happens under the lock. Readers never stop the writer for longer
// than a look-up.
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

/// A record that a hash led to: whose it is stands in its line, and has to be looked at.
struct Candidate {
    let segment: any File
    let entry: RecordEntry
}

struct Published {
    /// Those before the open one, oldest first. What is in here never changes, so readers take it along and look
    /// into it without the lock.
    private(set) var sealed: [Segment]
    var open: Segment
    var durable: UInt64
    var block: LogBlock?

    /// `segments` are all there are, oldest first; at least one.
    init(segments: [Segment], durable: UInt64) {
        sealed = Array(segments.dropLast())
        open = segments[segments.count - 1]
        self.durable = durable
    }

    /// `fresh` is the open segment from now on. One of the same name had no durable record, and is forgotten.
    mutating func begin(_ fresh: Segment) {
        if open.first != fresh.first { sealed.append(open) }
        open = fresh
    }
}

/// Shared by the writer and all readers.
final class Shared: Sendable {
    let published: Mutex<Published>
    /// When the writer entered the batch it is in, in monotonic milliseconds; 0 while it is in none.
    let busySinceMilliseconds = Atomic<Int64>(0)

    init(_ published: sending Published) { self.published = Mutex(published) }

    /// Every record whose hash is this one, newest first, all as of one moment.
    func candidates(of requestHash: UInt64) -> [Candidate] {
        var entries: [RecordEntry] = []
        let (sealed, file) = published.withLock { published in
            published.open.index.appendEntries(of: requestHash, to: &entries)
            return (published.sealed, published.open.file)
        }
        var candidates = entries.map { Candidate(segment: file, entry: $0) }
        for segment in sealed.reversed() {
            entries.removeAll(keepingCapacity: true)
            segment.index.appendEntries(of: requestHash, to: &entries)
            for entry in entries { candidates.append(Candidate(segment: segment.file, entry: entry)) }
        }
        return candidates
    }
}
