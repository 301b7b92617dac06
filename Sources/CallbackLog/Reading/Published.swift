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

/// The records of one request in one segment. Not verified: a hash led here.
struct Chain {
    let segment: any File
    /// The newest one's place in the segment's index.
    let head: Int
    let isInOpenSegment: Bool
    let newest: RecordEntry
    /// The others, newest first. Most chains have none, and then this allocates nothing.
    let older: [RecordEntry]

    var count: Int { 1 + older.count }
}

extension Segment {
    /// Every chain whose hash is this one.
    func appendChains(of requestHash: UInt64, isOpen: Bool, to chains: inout [Chain]) {
        for head in index.heads(of: requestHash) {
            var older: [RecordEntry] = []
            var previous = index.previous(of: head)
            while let current = previous {
                older.append(index.entries[current])
                previous = index.previous(of: current)
            }
            chains.append(
                Chain(segment: file, head: head, isInOpenSegment: isOpen, newest: index.entries[head], older: older))
        }
    }
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

    /// Every chain whose hash is this one, newest segment first, all as of one moment.
    func chains(of requestHash: UInt64) -> [Chain] {
        var chains: [Chain] = []
        let sealed = published.withLock { published in
            published.open.appendChains(of: requestHash, isOpen: true, to: &chains)
            return published.sealed
        }
        for segment in sealed.reversed() { segment.appendChains(of: requestHash, isOpen: false, to: &chains) }
        return chains
    }
}

extension Chain {
    /// True where the chain is that of `identifier`: one of its records, the newest that can be read, says so.
    func names(_ identifier: Span<UInt8>, using reader: inout RecordReader) throws(RecordReadFailure) -> Bool {
        var failure: RecordReadFailure
        do throws(RecordReadFailure) {
            return try reader.read(newest, in: segment).names(identifier, in: reader.bytes.span)
        } catch {
            failure = error
        }
        for entry in older {
            do throws(RecordReadFailure) {
                return try reader.read(entry, in: segment).names(identifier, in: reader.bytes.span)
            } catch {
                failure = error
            }
        }
        throw failure
    }
}
